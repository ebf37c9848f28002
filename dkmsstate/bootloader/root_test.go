package bootloader

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/efivars"
)

// files are the contents of files by their path in a root.
type files map[string]string

// kernels returns files with the images and the modules of kernels.
func kernels(releases ...string) files {
	f := files{}
	for _, k := range releases {
		f["/boot/vmlinuz-"+k] = "image of " + k
		f["/lib/modules/"+k+"/kernel/a.ko"] = ""
	}
	return f
}

// machine writes files below a root of its own.
func machine(t *testing.T, sets ...files) Machine {
	t.Helper()
	root := t.TempDir()
	for _, set := range sets {
		for name, data := range set {
			path := filepath.Join(root, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			if target, ok := strings.CutPrefix(data, "-> "); ok {
				require.NoError(t, os.Symlink(target, path))
				continue
			}
			require.NoError(t, os.WriteFile(path, []byte(data), 0o644))
		}
	}
	return Machine{Layout: dkmsstate.DefaultLayout(root)}
}

// bzImage returns the beginning of an x86 image with the release of a kernel.
func bzImage(release string) string {
	image := make([]byte, 0x600)
	copy(image[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(image[0x20e:], 0x300)
	copy(image[0x500:], release+" (builder@host) #1 SMP")
	return string(image)
}

// utf16z encodes a text as UTF-16 with a NUL.
func utf16z(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text + "\x00")) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// variable returns a file of efivarfs: attributes and a value.
func variable(value string) string { return "\x07\x00\x00\x00" + value }

// bootOption returns the value of a variable Boot####: an active entry with a path on a
// partition, or without one.
func bootOption(description, file string) string {
	nodes := "\x02\x01\x0c\x00\xd0\x41\x03\x0a\x00\x00\x00\x00" // ACPI, as before every disk
	if file != "" {
		text := utf16z(file)
		nodes += "\x04\x04" + string(binary.LittleEndian.AppendUint16(nil, uint16(4+len(text)))) + text
	}
	nodes += "\x7f\xff\x04\x00"
	head := append([]byte{1, 0, 0, 0}, binary.LittleEndian.AppendUint16(nil, uint16(len(nodes)))...)
	return variable(string(head) + utf16z(description) + nodes)
}

// firmwareFiles returns variables of UEFI in which the first entry was started.
func firmwareFiles(loaderInfo string, options ...string) files {
	f := files{efivars.Dir + "/BootCurrent-" + efivars.Firmware: variable("\x00\x00")}
	order := ""
	for i, file := range options {
		number := string(rune('0' + i))
		f[efivars.Dir+"/Boot000"+number+"-"+efivars.Firmware] = bootOption("entry "+number, file)
		order += string(rune(i)) + "\x00"
	}
	f[efivars.Dir+"/BootOrder-"+efivars.Firmware] = variable(order)
	if loaderInfo != "" {
		f[efivars.Dir+"/LoaderInfo-"+efivars.Loader] = variable(utf16z(loaderInfo))
	}
	return f
}

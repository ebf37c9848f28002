//go:build !race

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// module writes a kernel module that has a section of zeros, which is loaded.
func module(t *testing.T, path string, size int64, note string) {
	t.Helper()
	names, info := "\x00.modinfo\x00.text\x00.shstrtab\x00", "vermagic=6.1.0 SMP \x00name=m\x00"+note+"\x00"
	header := elf.Header64{Type: uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Shentsize: 64, Shnum: 4, Shstrndx: 3}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	texts := 64 + uint64(size)
	header.Shoff = texts + uint64(len(info)+len(names))
	sections := []elf.Section64{{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC), Off: texts, Size: uint64(len(info))},
		{Name: 10, Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC), Off: 64, Size: uint64(size)},
		{Name: 16, Type: uint32(elf.SHT_STRTAB), Off: texts + uint64(len(info)), Size: uint64(len(names))}}
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, binary.Write(file, binary.LittleEndian, header))
	_, err = file.Seek(size, io.SeekCurrent)
	require.NoError(t, err)
	_, err = file.WriteString(info + names)
	require.NoError(t, err)
	require.NoError(t, binary.Write(file, binary.LittleEndian, sections))
}

// pack compresses a file in place.
func pack(t *testing.T, path string) {
	t.Helper()
	from, err := os.Open(path)
	require.NoError(t, err)
	defer from.Close()
	var out bytes.Buffer
	to, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	require.NoError(t, err)
	_, err = to.ReadFrom(from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o644))
}

// machine returns a root with modules of a size on one kernel: plain and compressed, installed
// as built and patched. There is nothing to do on it.
func machine(t *testing.T, size int64) string {
	t.Helper()
	d := newTree(t)
	root, write, link := d.root, d.write, d.link
	write("boot/vmlinuz-6.1.0", "image")
	write("var/lib/dpkg/info/linux-image-6.1.0.list", "/boot/vmlinuz-6.1.0\n")
	write("var/lib/dpkg/status", "Package: linux-image-6.1.0\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n")
	write("lib/modules/6.1.0/modules.order", "kernel/own.ko\n")
	write("lib/modules/6.1.0/kernel/own.ko", "own")
	write("lib/modules/6.1.0/build/include/marker", "")
	names := "kernel/own.ko:\n"
	for name, how := range map[string]struct {
		file    string
		patched bool
	}{"a": {"a.ko", false}, "b": {"b.ko", true}, "c": {"c.ko.zst", false}, "d": {"d.ko.zst", true}} {
		write("usr/src/"+name+"-1.0/dkms.conf", "PACKAGE_NAME="+name+"\nAUTOINSTALL=yes\n")
		link("/usr/src/"+name+"-1.0", "var/lib/dkms/"+name+"/1.0/source")
		link("1.0/6.1.0/x86_64", "var/lib/dkms/"+name+"/kernel-6.1.0-x86_64")
		for _, dir := range []string{"var/lib/dkms/" + name + "/1.0/6.1.0/x86_64/module", "lib/modules/6.1.0/updates/dkms"} {
			note := "built"
			if how.patched && strings.HasPrefix(dir, "lib") {
				note = "patched"
			}
			write(dir+"/"+how.file, "")
			module(t, filepath.Join(root, dir, how.file), size, note)
			if strings.HasSuffix(how.file, ".zst") {
				pack(t, filepath.Join(root, dir, how.file))
			}
		}
		names += "updates/dkms/" + how.file + ":\n"
	}
	write("lib/modules/6.1.0/modules.dep", names)
	write("lib/modules/6.1.0/modules.dep.bin", names)
	return root
}

// peak runs a program in a root and returns its peak memory in bytes.
func peak(t *testing.T, root string, env []string, program string, args ...string) int {
	t.Helper()
	report := filepath.Join(t.TempDir(), "peak")
	call := exec.Command(program, args...)
	call.Env = append(append(os.Environ(), "DPKG_ROOT="+root, peakFile+"="+report), env...)
	output, err := call.CombinedOutput()
	require.NoError(t, err, string(output))
	assert.NotContains(t, string(output), "cannot")
	text, err := os.ReadFile(report)
	require.NoError(t, err)
	kilobytes, err := strconv.Atoi(string(text))
	require.NoError(t, err)
	return kilobytes << 10
}

// The memory that a program needs does not depend on the size of modules. With the race
// detector it needs a multiple, so this test is built without it.
func TestMemory(t *testing.T) {
	const size, limit = 100 << 20, 40 << 20
	as := func(script, params string) []string {
		return []string{"DPKG_MAINTSCRIPT_NAME=" + script, "DEB_MAINT_PARAMS=" + params, "DPKG_MAINTSCRIPT_PACKAGE=linux-image-6.1.0", "DPKG_MAINTSCRIPT_ARCH=amd64"}
	}
	root := machine(t, size)
	for _, row := range []struct {
		env  []string
		call []string
	}{
		{nil, []string{"dkms-hooks", "status"}},
		{nil, []string{"dkms-hooks", "check"}},
		{as("prerm", "upgrade 2"), []string{"prerm", "6.1.0"}},
		{as("postinst", "configure 1"), []string{"postinst", "6.1.0", "/boot/vmlinuz-6.1.0"}},
		{as("postinst", "configure 1"), []string{"postinst", "6.1.0", "/boot/vmlinuz-6.1.0"}}, // now with a record
		{nil, []string{"dkms-hooks", "status"}},
	} {
		assert.Less(t, peak(t, root, row.env, row.call[0], row.call[1:]...), limit, "%v", row.call)
	}
}

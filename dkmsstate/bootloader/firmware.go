package bootloader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf16"

	"dkms-hooks/dkmsstate/regular"
)

// varsDir is where the kernel shows the variables of UEFI.
const varsDir = "/sys/firmware/efi/efivars"

// The vendors of UEFI variables: the firmware, and boot loaders (Boot Loader Interface).
const (
	efiGlobal = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
	efiLoader = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
)

// firmware is the variables of UEFI on the running system.
type firmware struct{ dir string }

// firmware returns the variables of the machine. There are none if it is not the running system.
func (m Machine) firmware() firmware {
	if !m.Booted {
		return firmware{}
	}
	return firmware{m.inside(varsDir)}
}

// readable reports whether variables can be read: UEFI always has BootCurrent.
func (f firmware) readable() bool { return f.variable("BootCurrent", efiGlobal) != nil }

// maxVariable bounds the size of a variable.
const maxVariable = 1 << 20

// variable returns the value of a variable, which follows four bytes of attributes. It returns
// nil without one.
func (f firmware) variable(name, vendor string) []byte {
	if f.dir == "" {
		return nil
	}
	data, err := regular.ReadAtMost(path.Join(f.dir, name+"-"+vendor), maxVariable)
	const attributes = 4
	if err != nil || len(data) < attributes {
		return nil
	}
	return data[attributes:]
}

// text returns the value of a variable that contains UTF-16 up to a NUL.
func (f firmware) text(name string) string { return utf16Text(f.variable(name, efiLoader)) }

// utf16Text decodes little-endian UTF-16 up to a NUL.
func utf16Text(data []byte) string {
	var units []uint16
	for ; len(data) >= 2; data = data[2:] {
		unit := binary.LittleEndian.Uint16(data)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}

// started returns the name of the boot loader that started this system and starts the next one,
// "" if the firmware does not tell. It is an error if the firmware starts something else.
func (f firmware) started() (string, error) {
	if !f.readable() {
		return "", nil
	}
	if err := f.sameAgain(); err != nil {
		return "", err
	}
	info := f.text("LoaderInfo")
	current, _ := f.option(f.variable("BootCurrent", efiGlobal))
	switch {
	case strings.HasPrefix(info, "systemd-boot "):
		return systemdBootName, nil
	case strings.HasPrefix(info, "GRUB "):
		return grubName, nil
	case info != "":
		return "", fmt.Errorf("%q started this system, and its configuration is not supported", info)
	}
	file := strings.ToLower(current.file)
	base := file[strings.LastIndexByte(file, '\\')+1:]
	switch {
	case file == "", strings.HasPrefix(file, `\efi\boot\boot`):
		return "", nil
	case strings.HasPrefix(base, "shim"), strings.HasPrefix(base, "grub"):
		return grubName, nil
	}
	return "", fmt.Errorf("the firmware started %s, whose configuration is not supported", current.file)
}

// sameAgain returns an error unless the firmware starts again what it started last: BootNext,
// then the active entries of BootOrder (UEFI specification, 3.1). Entries without a file, such
// as the network, were passed over last time.
func (f firmware) sameAgain() error {
	current, known := f.option(f.variable("BootCurrent", efiGlobal))
	if !known {
		return nil // it is gone, or was never an entry
	}
	if next := f.variable("BootNext", efiGlobal); len(next) >= 2 {
		if option, known := f.option(next); !known || option.file != current.file || option.file == "" {
			return errors.New("BootNext is set: the firmware starts " + option.String() + " next")
		}
		return nil
	}
	order := f.variable("BootOrder", efiGlobal)
	for ; len(order) >= 2; order = order[2:] {
		option, known := f.option(order)
		if known && option.file == current.file {
			return nil
		}
		if known && option.active && option.file != "" {
			return fmt.Errorf("the firmware starts %s before %s", option, current)
		}
	}
	return nil
}

// loadOption is an EFI_LOAD_OPTION: an entry of the firmware's boot menu.
type loadOption struct {
	active      bool
	description string
	// file is the path on its partition, "" without one.
	file string
}

// String returns what a person knows the entry by.
func (o loadOption) String() string {
	if o.file != "" {
		return o.file
	}
	return fmt.Sprintf("%q", o.description)
}

// option returns the entry whose number a variable begins with.
func (f firmware) option(number []byte) (loadOption, bool) {
	if len(number) < 2 {
		return loadOption{}, false
	}
	return parseLoadOption(f.variable(fmt.Sprintf("Boot%04X", binary.LittleEndian.Uint16(number)), efiGlobal))
}

// parseLoadOption parses an EFI_LOAD_OPTION (UEFI specification, 3.1.3): attributes, the length
// of the device path, the description, the device path. It reports false for any other data.
func parseLoadOption(data []byte) (loadOption, bool) {
	const header, active = 6, 1
	if len(data) < header {
		return loadOption{}, false
	}
	o := loadOption{active: data[0]&active != 0, description: utf16Text(data[header:])}
	nodes := data[header:]
	for len(nodes) >= 2 && binary.LittleEndian.Uint16(nodes) != 0 {
		nodes = nodes[2:]
	}
	length := int(binary.LittleEndian.Uint16(data[4:]))
	if len(nodes) < 2+length {
		return loadOption{}, false
	}
	o.file = filePath(nodes[2 : 2+length])
	return o, true
}

// filePath returns the path in the media nodes of a device path (UEFI specification, 10.3.5).
func filePath(nodes []byte) string {
	const head, media, file = 4, 4, 4
	var text strings.Builder
	for len(nodes) >= head {
		length := int(binary.LittleEndian.Uint16(nodes[2:]))
		if length < head || length > len(nodes) {
			break
		}
		if nodes[0] == media && nodes[1] == file {
			text.WriteString(utf16Text(nodes[head:length]))
		}
		nodes = nodes[length:]
	}
	return text.String()
}

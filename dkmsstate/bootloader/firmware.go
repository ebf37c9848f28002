package bootloader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf16"

	"dkms-hooks/dkmsstate/efivars"
	"dkms-hooks/dkmsstate/regular"
)

// firmware is what UEFI of the running system knows about the next boot.
type firmware struct {
	vars efivars.Variables
	// err is the first variable that exists and cannot be read.
	err error
}

// firmware returns the firmware of the machine. It has no variables if the machine is not the
// running system.
func (m Machine) firmware() *firmware {
	if !m.Booted {
		return &firmware{}
	}
	return &firmware{vars: efivars.At(m.inside("/"))}
}

// readable reports whether variables can be read: UEFI always has BootCurrent.
func (f *firmware) readable() bool { return f.variable("BootCurrent", efivars.Firmware) != nil }

// variable returns the value of a variable, nil without one.
func (f *firmware) variable(name, vendor string) []byte {
	value, _, err := f.vars.Read(name, vendor)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && f.err == nil {
		f.err = fmt.Errorf("the variable %s of the firmware cannot be read: %w", name, regular.WithoutPath(err))
	}
	return value
}

// text returns the value of a variable that contains UTF-16 up to a NUL.
func (f *firmware) text(name string) string { return utf16Text(f.variable(name, efivars.Loader)) }

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
func (f *firmware) started() (string, error) {
	if !f.readable() {
		return "", f.err
	}
	if err := f.sameAgain(); err != nil {
		return "", err
	}
	info := f.text("LoaderInfo")
	current, _ := f.option(f.variable("BootCurrent", efivars.Firmware))
	switch {
	case f.err != nil:
		return "", f.err
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
func (f *firmware) sameAgain() error {
	current, known := f.option(f.variable("BootCurrent", efivars.Firmware))
	if !known {
		return nil // it is gone, or was never an entry
	}
	if next := f.variable("BootNext", efivars.Firmware); len(next) >= 2 {
		if option, known := f.option(next); !known || option.file != current.file || option.file == "" {
			return errors.New("BootNext is set: the firmware starts " + option.String() + " next")
		}
		return nil
	}
	order := f.variable("BootOrder", efivars.Firmware)
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
func (f *firmware) option(number []byte) (loadOption, bool) {
	if len(number) < 2 {
		return loadOption{}, false
	}
	return parseLoadOption(f.variable(fmt.Sprintf("Boot%04X", binary.LittleEndian.Uint16(number)), efivars.Firmware))
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

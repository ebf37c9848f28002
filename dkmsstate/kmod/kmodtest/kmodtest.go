// Package kmodtest makes kernel modules for tests, with the parts that package kmod reads.
package kmodtest

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Module describes a module to make.
type Module struct {
	// Name is the name that is recorded in the module. Vermagic is what the kernel compares
	// first.
	Name, Vermagic string
	// Uses and Exports are the CRCs of the imported and exported symbols.
	Uses, Exports map[string]uint32
	// Unversioned are imported symbols without a CRC.
	Unversioned []string
	// Depends are the names of modules that it was built to use.
	Depends []string
	Signed  bool
}

// Sample returns a module with a value in each field.
func Sample() Module {
	return Module{Name: "m", Vermagic: "6.1 SMP", Uses: map[string]uint32{"module_layout": 1, "printk": 0xfffffffe}, Exports: map[string]uint32{"mine": 7}, Depends: []string{"crc7", "snd-pcm"}, Signed: true}
}

// File returns the bytes of a module for x86-64. Modules with different notes differ.
func File(m Module, note string) []byte {
	names := []string{"", ".modinfo", "__versions", ".symtab", ".strtab", ".shstrtab", ".text"}
	data := make([][]byte, len(names))
	data[1] = []byte("license=MIT\x00description=" + note + "\x00vermagic=" + m.Vermagic + "\x00")
	data[1] = append(data[1], "depends="+strings.Join(m.Depends, ",")+"\x00"...)
	if m.Name != "" {
		data[1] = append(data[1], "name="+m.Name+"\x00"...)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Uses)) {
		entry := make([]byte, 64)
		binary.LittleEndian.PutUint64(entry, uint64(m.Uses[name]))
		copy(entry[8:], name)
		data[2] = append(data[2], entry...)
	}
	symbols := []elf.Sym64{{}}
	data[4] = []byte{0}
	for _, name := range slices.Sorted(maps.Keys(m.Exports)) {
		symbols = append(symbols, elf.Sym64{Name: uint32(len(data[4])), Shndx: uint16(elf.SHN_ABS), Value: uint64(m.Exports[name])})
		data[4] = append(data[4], "__crc_"+name+"\x00"...)
	}
	imported := slices.DeleteFunc(slices.Sorted(maps.Keys(m.Uses)), func(name string) bool { return name == "module_layout" })
	for _, name := range append(imported, m.Unversioned...) {
		symbols = append(symbols, elf.Sym64{Name: uint32(len(data[4])), Info: byte(elf.STB_GLOBAL) << 4})
		data[4] = append(data[4], name+"\x00"...)
	}
	data[3] = Encode(symbols)
	at := uint64(binary.Size(elf.Header64{}))
	sections := make([]elf.Section64, len(names))
	var body []byte
	for i, name := range names {
		sections[i].Name = uint32(len(data[5]))
		data[5] = append(data[5], name+"\x00"...)
	}
	for i := range names {
		if i == 0 {
			continue
		}
		s := &sections[i]
		s.Type, s.Off, s.Size, s.Addralign = uint32(elf.SHT_PROGBITS), at+uint64(len(body)), uint64(len(data[i])), 1
		body = append(body, data[i]...)
	}
	sections[1].Flags, sections[2].Flags, sections[6].Flags = uint64(elf.SHF_ALLOC), uint64(elf.SHF_ALLOC), uint64(elf.SHF_ALLOC)
	sections[3].Type, sections[3].Link, sections[3].Entsize = uint32(elf.SHT_SYMTAB), 4, uint64(binary.Size(elf.Sym64{}))
	sections[4].Type, sections[5].Type = uint32(elf.SHT_STRTAB), uint32(elf.SHT_STRTAB)
	header := elf.Header64{
		Type: uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: 1, Shoff: at + uint64(len(body)),
		Ehsize: uint16(at), Shentsize: uint16(binary.Size(elf.Section64{})), Shnum: uint16(len(names)), Shstrndx: 5,
	}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	out := append(append(Encode(header), body...), Encode(sections)...)
	if m.Signed {
		out = Sign(out, "signature of "+note)
	}
	return out
}

// Large returns a module whose section .text has between bytes and follows the ELF header: the
// bytes before that section, its size, and the bytes after it. loaded reports whether the
// kernel loads the section.
func Large(m Module, note string, between int, loaded bool) (head []byte, size int, tail []byte) {
	data := File(m, note)
	rest := len(Encode(elf.Header64{}))
	var header elf.Header64
	var sections [7]elf.Section64
	Decode(data, &header)
	Decode(data[header.Shoff:], &sections)
	end := header.Shoff + uint64(binary.Size(sections))
	for i := range sections[1:] {
		sections[i+1].Off += uint64(between)
	}
	sections[6].Off, sections[6].Size = uint64(rest), uint64(between)
	if !loaded {
		sections[6].Flags = 0
	}
	tail = slices.Concat(data[rest:header.Shoff], Encode(sections), data[end:])
	header.Shoff += uint64(between)
	return Encode(header), between, tail
}

// ChangeSections returns a module made by File with changed section headers.
func ChangeSections(module []byte, change func(sections []elf.Section64)) []byte {
	var header elf.Header64
	var sections [7]elf.Section64
	Decode(module, &header)
	Decode(module[header.Shoff:], &sections)
	change(sections[:])
	out := slices.Clone(module)
	copy(out[header.Shoff:], Encode(sections))
	return out
}

// Decode decodes a value of an ELF file.
func Decode(data []byte, value any) {
	if _, err := binary.Decode(data, binary.LittleEndian, value); err != nil {
		panic(err)
	}
}

// Sign appends a signature like the kernel's sign-file.
func Sign(module []byte, signature string) []byte {
	out := append(slices.Clone(module), signature...)
	out = append(out, 0, 0, 2, 0, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(signature)))
	return append(out, "~Module signature appended~\n"...)
}

// Encode returns the bytes of a value of an ELF file.
func Encode(value any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, value); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Gzip returns data compressed like gzip(1) does.
func Gzip(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// Uses returns the symbols of a module that uses only module_layout, with this CRC. It returns
// nil for 0.
func Uses(crc uint32) map[string]uint32 {
	if crc == 0 {
		return nil
	}
	return map[string]uint32{"module_layout": crc}
}

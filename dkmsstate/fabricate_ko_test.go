package dkmsstate

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"maps"
	"slices"
)

// testMagic is the vermagic of fabricated modules.
const testMagic = string(testKernel) + " SMP preempt mod_unload modversions "

// fabricateKo makes the bytes of a kernel module, as far as one is read here.
func fabricateKo(ko Ko, note string) []byte {
	names := []string{"", ".modinfo", "__versions", ".symtab", ".strtab", ".shstrtab", ".text"}
	data := make([][]byte, len(names))
	data[1] = []byte("license=MIT\x00description=" + note + "\x00vermagic=" + ko.Vermagic + "\x00")
	if ko.name != "" {
		data[1] = append(data[1], "name="+ko.name+"\x00"...)
	}
	for _, name := range slices.Sorted(maps.Keys(ko.Uses)) {
		entry := make([]byte, 64)
		binary.LittleEndian.PutUint64(entry, uint64(ko.Uses[name]))
		copy(entry[8:], name)
		data[2] = append(data[2], entry...)
	}
	symbols := []elf.Sym64{{}}
	data[4] = []byte{0}
	for _, name := range slices.Sorted(maps.Keys(ko.Exports)) {
		symbols = append(symbols, elf.Sym64{Name: uint32(len(data[4])), Shndx: uint16(elf.SHN_ABS), Value: uint64(ko.Exports[name])})
		data[4] = append(data[4], "__crc_"+name+"\x00"...)
	}
	data[3] = encode(symbols)
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
	out := append(append(encode(header), body...), encode(sections)...)
	if ko.Signed {
		out = sign(out, "signature of "+note)
	}
	return out
}

// largeKo returns a module with much between its header and the rest, in sections that are
// loaded or not: what comes before, how much, and what comes after.
func largeKo(ko Ko, note string, between int, loaded bool) (head []byte, size int, tail []byte) {
	data := fabricateKo(ko, note)
	rest := len(encode(elf.Header64{}))
	var header elf.Header64
	var sections [7]elf.Section64
	decode(data, &header)
	decode(data[header.Shoff:], &sections)
	end := header.Shoff + uint64(binary.Size(sections))
	for i := range sections[1:] {
		sections[i+1].Off += uint64(between)
	}
	sections[6].Off, sections[6].Size = uint64(rest), uint64(between)
	if !loaded {
		sections[6].Flags = 0
	}
	tail = slices.Concat(data[rest:header.Shoff], encode(sections), data[end:])
	header.Shoff += uint64(between)
	return encode(header), between, tail
}

// changedSections returns a module whose sections' headers are changed.
func changedSections(module []byte, change func(sections []elf.Section64)) []byte {
	var header elf.Header64
	var sections [7]elf.Section64
	decode(module, &header)
	decode(module[header.Shoff:], &sections)
	change(sections[:])
	out := slices.Clone(module)
	copy(out[header.Shoff:], encode(sections))
	return out
}

func decode(data []byte, value any) {
	if _, err := binary.Decode(data, binary.LittleEndian, value); err != nil {
		panic(err)
	}
}

// sign appends a signature as sign-file does.
func sign(module []byte, signature string) []byte {
	out := append(slices.Clone(module), signature...)
	out = append(out, 0, 0, 2, 0, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(signature)))
	return append(out, signatureMark...)
}

func encode(value any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, value); err != nil {
		panic(err)
	}
	return b.Bytes()
}

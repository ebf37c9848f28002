package kmod

import (
	"bytes"
	"debug/elf"
	"slices"
)

// maxUnversioned bounds how many symbols are kept that have no CRC.
const maxUnversioned = 256

// unversioned returns the symbols that a module imports and for which it has no CRC although it has
// CRCs for others. modpost knew nothing that exports them when the module was built, and was told
// that this is no error (KBUILD_MODPOST_WARN).
func (t tables) unversioned(uses map[string]uint32) []string {
	symbols := t.SectionByType(elf.SHT_SYMTAB)
	if len(uses) == 0 || symbols == nil || symbols.Link == 0 || uint64(symbols.Link) >= uint64(len(t.Sections)) || !t.holds(symbols) {
		return nil
	}
	var imported []uint32
	weak := 0
	t.eachSymbol(symbols, func(s elf.Sym64) {
		switch {
		case elf.SectionIndex(s.Shndx) != elf.SHN_UNDEF || s.Name == 0 || len(imported) > maxExports:
		case elf.ST_BIND(s.Info) == elf.STB_WEAK:
			weak++
		default:
			imported = append(imported, s.Name)
		}
	})
	// Only one more than the CRCs is worth a look at the names: module_layout is not imported.
	if len(imported) <= len(uses)-1-weak {
		return nil
	}
	var found []string
	slices.Sort(imported)
	for _, at := range imported {
		if name := t.nameAt(t.Sections[symbols.Link], at); name != "" && !slices.Contains(notImported(), name) {
			if _, versioned := uses[name]; !versioned && len(found) < maxUnversioned {
				found = append(found, name)
			}
		}
	}
	return found
}

// notImported are undefined symbols that no module has to export (modpost, ignore_undef_symbol).
func notImported() []string { return []string{"_GLOBAL_OFFSET_TABLE_", ".TOC.", "_TOC_"} }

// nameAt returns the name at an offset in a string table, "" if it cannot be read or is longer than
// any that is known.
func (t tables) nameAt(table *elf.Section, at uint32) string {
	const longest = 512
	if !t.holds(table) || uint64(at) >= table.FileSize {
		return ""
	}
	name := make([]byte, min(longest, table.FileSize-uint64(at)))
	if n, _ := t.contents.ReadAt(name, int64(table.Offset)+int64(at)); n < len(name) {
		return ""
	}
	name, _, found := bytes.Cut(name, []byte{0})
	if !found {
		return ""
	}
	return string(name)
}

package kmod

import (
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"hash"
	"io"
	"maps"
)

// sameCode reports whether two modules have the same contents in every section that the kernel
// loads. This is so for a module and its stripped copy.
func (p pair) sameCode() (bool, error) {
	theirs, err := p.its.loaded()
	if err != nil {
		return false, fmt.Errorf("cannot be compared: %w", err)
	}
	mine, err := p.ours.loaded()
	if err != nil {
		return false, fmt.Errorf("cannot be compared with the built file: %w", err)
	}
	return len(theirs) > 0 && maps.Equal(theirs, mine), nil
}

// loaded returns the checksums of the sections that the kernel loads, by section name. It
// returns nil if one of them is not completely in the file.
func (c *contents) loaded() (sums map[string][sha256.Size]byte, err error) {
	defer func() { // debug/elf does not promise anything for hostile files
		if recover() != nil {
			sums, err = nil, c.failed
		}
		c.rest()
	}()
	t, err := readTables(c)
	if err != nil {
		return nil, c.failed
	}
	running := map[string]hash.Hash{}
	for _, s := range t.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		if !t.holds(s) {
			return nil, nil
		}
		if running[s.Name] == nil {
			running[s.Name] = sha256.New()
		}
		if _, err := io.Copy(running[s.Name], t.section(s)); err != nil {
			return nil, err
		}
	}
	sums = map[string][sha256.Size]byte{}
	for name, sum := range running {
		sums[name] = [sha256.Size]byte(sum.Sum(nil))
	}
	return sums, nil
}

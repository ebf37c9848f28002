package kmod

import (
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// sparse writes a large module with a hole in it and returns its path.
func sparse(t *testing.T, head []byte, size int, tail []byte) string {
	t.Helper()
	path := fileOf(t, head)
	require.NoError(t, os.Truncate(path, int64(len(head)+size)))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	defer file.Close()
	_, err = file.Write(tail)
	require.NoError(t, err)
	return path
}

// allocated returns how many bytes of memory do allocates, whether it keeps them or not.
func allocated(do func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// Memory is allocated for the parts of a module that are read, not for its size. A decompressor
// allocates its window several times for each of two files. Reading the files as a whole would
// allocate more than 600 MB.
func TestLargeModules(t *testing.T) {
	const size, plain, compressed = 64 << 20, 2 << 20, 128 << 20
	ko := kmodtest.Sample()
	ko.Signed = false
	same := func(kmodtest.Module) kmodtest.Module { return ko }
	file := func(loaded bool, change func(kmodtest.Module) kmodtest.Module, note, signature string) string {
		head, between, tail := kmodtest.Large(change(ko), note, size, loaded)
		if signature != "" {
			tail = kmodtest.Sign(tail, signature)
		}
		return sparse(t, head, between, tail)
	}
	packed := func(loaded bool, note, signature string) string {
		head, between, tail := kmodtest.Large(ko, note, size, loaded)
		if signature != "" {
			tail = kmodtest.Sign(tail, signature)
		}
		return fileOf(t, zstandard(23, head, between, tail))
	}
	stripped := func(k kmodtest.Module) kmodtest.Module { k.Exports = nil; return k }
	cut := file(false, same, "x", "signature")
	info, err := os.Stat(cut)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(cut, info.Size()-40))
	for name, row := range map[string]struct {
		built, installed string
		limit            int
		reason           string
	}{
		"the same":                 {file(false, same, "x", ""), file(false, same, "x", ""), plain, ""},
		"signed":                   {file(true, same, "x", ""), file(true, same, "x", "by its owner"), plain, "has a different signature than the built file"},
		"stripped":                 {file(true, same, "x", ""), file(true, stripped, "x", ""), plain, "was stripped or signed after it was built"},
		"patched":                  {file(true, same, "x", ""), file(true, same, "y", ""), plain, "has different contents than the built file"},
		"cut short":                {file(false, same, "x", "signature"), cut, plain, "is truncated"},
		"compressed":               {file(false, same, "x", ""), packed(false, "x", ""), compressed, "is compressed differently than the built file"},
		"compressed and signed":    {packed(true, "x", ""), packed(true, "x", "by its owner"), compressed, "has a different signature than the built file"},
		"compressed and patched":   {packed(true, "x", ""), packed(true, "y", ""), compressed, "has different contents than the built file"},
		"decompressed and patched": {packed(true, "x", ""), file(true, same, "y", ""), compressed, "has different contents than the built file"},
	} {
		t.Run(name, func(t *testing.T) {
			var got Comparison
			taken := allocated(func() { got = NewReader().Compare(row.built, row.installed) })
			assert.Equal(t, row.reason, got.Reason)
			assert.Less(t, taken, row.limit)
			for _, path := range []string{row.built, row.installed} {
				taken := allocated(func() {
					known, err := NewReader().Read(t.Context(), path)
					assert.NoError(t, err)
					assert.Equal(t, ko.Uses, known.Uses)
				})
				assert.Less(t, taken, row.limit)
			}
		})
	}
}

// Of a large symbol table only the CRC symbols are kept.
func TestManySymbols(t *testing.T) {
	const symbols, limit = 500_000, 2 << 20
	ko := kmodtest.Sample()
	head, size, tail := kmodtest.Large(ko, "x", 20<<20, false)
	module := append(append(head, make([]byte, size)...), tail...)
	var table, names []byte
	module = kmodtest.ChangeSections(module, func(sections []elf.Section64) {
		table, names = module[sections[3].Off:][:sections[3].Size:sections[3].Size], module[sections[4].Off:][:sections[4].Size:sections[4].Size]
		for i := range symbols {
			table = append(table, kmodtest.Encode(elf.Sym64{Name: uint32(len(names)), Shndx: 6})...)
			names = fmt.Appendf(names, "function_%d\x00", i)
		}
		sections[3].Off, sections[3].Size = uint64(len(module)), uint64(len(table))
		sections[4].Off, sections[4].Size = uint64(len(module)+len(table)), uint64(len(names))
	})
	path := fileOf(t, append(append(module, table...), names...))
	taken := allocated(func() {
		got, err := NewReader().Read(t.Context(), path)
		require.NoError(t, err)
		assert.Equal(t, ko.Exports, got.Exports)
	})
	assert.Less(t, taken, limit)
}

// A module whose section headers claim too large sizes does not cause allocations of these
// sizes.
func TestLyingSizes(t *testing.T) {
	const between, limit = 300 << 20, 48 << 20
	for i, name := range []string{"", ".modinfo", "__versions", ".symtab", ".strtab", ".shstrtab", ".text"} {
		for _, claimed := range []uint64{1 << 60, 1<<63 - 1, 1<<64 - 1, 200 << 20} {
			head, size, tail := kmodtest.Large(kmodtest.Sample(), "x", between, true)
			data := append(append([]byte{}, head...), tail...)
			var header elf.Header64
			kmodtest.Decode(head, &header)
			header.Shoff -= uint64(size) // ChangeSections sees a module with nothing in between
			data = kmodtest.ChangeSections(append(kmodtest.Encode(header), data[len(head):]...), func(sections []elf.Section64) { sections[i].Size = claimed })
			path := sparse(t, head, size, data[len(head):])
			taken := allocated(func() {
				_, err := NewReader().Read(t.Context(), path)
				if name == ".modinfo" || name == ".shstrtab" {
					assert.Error(t, err)
				}
				NewReader().Compare(path, path+"x")
			})
			assert.Less(t, taken, limit, "%s %d", name, claimed)
		}
	}
}

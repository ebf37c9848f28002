package dkmsstate

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sampleKo() Ko {
	return Ko{Vermagic: "6.1 SMP", Uses: map[string]uint32{"module_layout": 1, "printk": 0xfffffffe},
		Exports: map[string]uint32{"mine": 7}, Signed: true, name: "m", machine: elf.EM_X86_64}
}

func TestReadKo(t *testing.T) {
	dir, plain := t.TempDir(), fabricateKo(sampleKo(), "x")
	path := filepath.Join(dir, "m.ko")
	require.NoError(t, os.WriteFile(path, plain, 0o644))
	for suffix, tool := range map[string][]string{"": nil, ".gz": {"gzip", "-k"}, ".xz": {"xz", "-k"}, ".zst": {"zstd", "-q"}} {
		t.Run("m.ko"+suffix, func(t *testing.T) {
			if tool != nil {
				if _, err := lookPath(tool[0]); err != nil {
					t.Skip(err)
				}
				require.NoError(t, exec.Command(tool[0], append(tool[1:], path)...).Run())
			}
			ko, err := Layout{}.readKo(context.Background(), path+suffix)
			require.NoError(t, err)
			assert.Equal(t, sampleKo(), ko)
		})
	}
	for name, data := range map[string][]byte{
		"nothing": {}, "text": []byte("module"), "half": plain[:len(plain)/2], "no vermagic": fabricateKo(Ko{}, "x"),
	} {
		require.NoError(t, os.WriteFile(path, data, 0o644))
		_, err := Layout{}.readKo(context.Background(), path)
		assert.ErrorContains(t, err, "m.ko", name)
	}
	_, err := Layout{}.readKo(context.Background(), filepath.Join(dir, "none.ko.gz"))
	assert.Error(t, err)
}

// What kernels from 6.14 on have beside __versions, and modules of 32 bits, are read
// from real modules by the integration suite.
func FuzzParseKo(f *testing.F) {
	f.Add(fabricateKo(sampleKo(), "x"))
	f.Add(fabricateKo(Ko{Vermagic: "x"}, ""))
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, _ = w.Write([]byte("x"))
	w.Close()
	f.Add(compressed.Bytes())
	f.Add(sign(fabricateKo(sampleKo(), "x"), "x")[:700])
	f.Add(changedSections(fabricateKo(sampleKo(), "x"), func(sections []elf.Section64) { sections[4].Size = 1 << 60 }))
	path := filepath.Join(f.TempDir(), "m.ko")
	f.Fuzz(func(t *testing.T, data []byte) {
		ko, err := parseKo(contentsOf(data))
		if err == nil {
			require.NotEmpty(t, ko.Vermagic)
		}
		require.NoError(t, os.WriteFile(path, zstandard(20, data, 0, nil), 0o644))
		c, openErr := little().open(path)
		require.NoError(t, openErr)
		defer c.close()
		again, errAgain := parseKo(c)
		if c.failed != nil { // it took too many passes
			return
		}
		assert.Equal(t, ko, again)
		assert.Equal(t, err, errAgain)
		size, kept := contentsOf(data).unsigned(), c.unsigned()
		assert.True(t, size == kept || c.failed != nil)
	})
}

func TestReadSymvers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Module.symvers")
	require.NoError(t, os.WriteFile(path, []byte("0xdeadbeef\tone\tvmlinux\tEXPORT_SYMBOL\t\n0x00000001\ttwo\tdrivers/x\tEXPORT_SYMBOL_GPL\tNS\nnonsense\n0xzz\tthree\tvmlinux\n"), 0o644))
	got, err := readSymvers(path)
	require.NoError(t, err)
	assert.Equal(t, map[string]exported{"one": {0xdeadbeef, "vmlinux"}, "two": {1, "drivers/x"}}, got)
	assert.Equal(t, "a", differs(map[string]uint32{"b": 1, "a": 1, "c": 1}, map[string]uint32{"a": 2, "b": 2, "d": 1}))
	assert.Empty(t, differs(map[string]uint32{"a": 1}, map[string]uint32{"a": 1, "b": 2}))
}

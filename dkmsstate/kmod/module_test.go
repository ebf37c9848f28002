package kmod

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

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// sampleRead is what Read returns for the sample.
func sampleRead() Module {
	m := kmodtest.Sample()
	return Module{Vermagic: m.Vermagic, Uses: m.Uses, Exports: m.Exports, Depends: m.Depends, Signed: m.Signed, name: m.Name, machine: elf.EM_X86_64}
}

func TestRead(t *testing.T) {
	dir, plain := t.TempDir(), kmodtest.File(kmodtest.Sample(), "x")
	path := filepath.Join(dir, "m.ko")
	require.NoError(t, os.WriteFile(path, plain, 0o644))
	for suffix, tool := range map[string][]string{"": nil, ".gz": {"gzip", "-k"}, ".xz": {"xz", "-k"}, ".zst": {"zstd", "-q"}} {
		t.Run("m.ko"+suffix, func(t *testing.T) {
			if tool != nil {
				if _, err := exec.LookPath(tool[0]); err != nil {
					t.Skip(err)
				}
				require.NoError(t, exec.Command(tool[0], append(tool[1:], path)...).Run())
			}
			ko, err := NewReader().Read(context.Background(), path+suffix)
			require.NoError(t, err)
			assert.Equal(t, sampleRead(), ko)
		})
	}
	for name, data := range map[string][]byte{
		"nothing": {}, "text": []byte("module"), "half": plain[:len(plain)/2], "no vermagic": kmodtest.File(kmodtest.Module{}, "x"),
	} {
		require.NoError(t, os.WriteFile(path, data, 0o644))
		_, err := NewReader().Read(context.Background(), path)
		assert.ErrorContains(t, err, "m.ko", name)
	}
	_, err := NewReader().Read(context.Background(), filepath.Join(dir, "none.ko.gz"))
	assert.Error(t, err)
}

// A symbol for which modpost knew no CRC is found among those that have one.
func TestUnversioned(t *testing.T) {
	for name, c := range map[string]struct {
		uses        map[string]uint32
		unversioned []string
		want        []string
	}{
		"all have one":     {map[string]uint32{"module_layout": 1, "printk": 2, "kfree": 3}, nil, nil},
		"one has none":     {map[string]uint32{"module_layout": 1, "printk": 2}, []string{"nowhere"}, []string{"nowhere"}},
		"two have none":    {map[string]uint32{"module_layout": 1}, []string{"a", "b"}, []string{"a", "b"}},
		"no kernel has it": {map[string]uint32{"module_layout": 1}, []string{"_GLOBAL_OFFSET_TABLE_"}, nil},
		"no CRCs at all":   {nil, []string{"nowhere"}, nil},
	} {
		for suffix, encode := range map[string]func([]byte) []byte{"": func(data []byte) []byte { return data }, ".gz": kmodtest.Gzip} {
			file := filepath.Join(t.TempDir(), "m.ko"+suffix)
			require.NoError(t, os.WriteFile(file, encode(kmodtest.File(kmodtest.Module{Vermagic: "6.1 SMP", Uses: c.uses, Unversioned: c.unversioned}, "x")), 0o644))
			ko, err := NewReader().Read(context.Background(), file)
			require.NoError(t, err)
			assert.Equal(t, c.want, ko.Unversioned, name+suffix)
		}
	}
}

// The integration suite reads real modules with the sections that kernels since 6.14 may have
// beside __versions, and modules of 32 bits.
func FuzzParse(f *testing.F) {
	f.Add(kmodtest.File(kmodtest.Sample(), "x"))
	f.Add(kmodtest.File(kmodtest.Module{Vermagic: "x"}, ""))
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, _ = w.Write([]byte("x"))
	w.Close()
	f.Add(compressed.Bytes())
	f.Add(kmodtest.Sign(kmodtest.File(kmodtest.Sample(), "x"), "x")[:700])
	f.Add(kmodtest.ChangeSections(kmodtest.File(kmodtest.Sample(), "x"), func(sections []elf.Section64) { sections[4].Size = 1 << 60 }))
	path := filepath.Join(f.TempDir(), "m.ko")
	f.Fuzz(func(t *testing.T, data []byte) {
		ko, err := parse(contentsOf(data))
		if err == nil {
			require.NotEmpty(t, ko.Vermagic)
		}
		require.NoError(t, os.WriteFile(path, zstandard(20, data, 0, nil), 0o644))
		c, openErr := little().open(path)
		require.NoError(t, openErr)
		defer c.close()
		again, errAgain := parse(c)
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
	got, err := ReadSymvers(path)
	require.NoError(t, err)
	assert.Equal(t, map[string]Export{"one": {0xdeadbeef, "vmlinux"}, "two": {1, "drivers/x"}}, got)
	assert.Equal(t, "a", CRCMismatch(map[string]uint32{"b": 1, "a": 1, "c": 1}, map[string]uint32{"a": 2, "b": 2, "d": 1}))
	assert.Empty(t, CRCMismatch(map[string]uint32{"a": 1}, map[string]uint32{"a": 1, "b": 2}))
}

package initramfs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/initramfs/initramfstest"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

func zstandard(data []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(data, nil)
}

func identityOf(t *testing.T, data []byte) kmod.Identity {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.ko")
	require.NoError(t, os.WriteFile(file, data, 0o644))
	var r *kmod.Reader
	id, err := r.Identity(context.Background(), file)
	require.NoError(t, err)
	return id
}

func TestRead(t *testing.T) {
	const dir = "usr/lib/modules/6.1/"
	old, new := kmodtest.File(kmodtest.Sample(), "old"), kmodtest.File(kmodtest.Sample(), "new")
	archive := func(name string, data []byte) []byte {
		return initramfstest.Archive(initramfstest.File{Name: "init", Data: []byte("#!/bin/sh")}, initramfstest.File{Name: name, Data: data},
			initramfstest.File{Name: dir + "kernel/drivers/loop.ko", Data: old})
	}
	microcode := initramfstest.Archive(initramfstest.File{Name: "kernel/x86/microcode/x.bin", Data: []byte("microcode")})
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	wanted := archive(dir+"updates/dkms/a-b.ko", new)
	for name, c := range map[string]struct {
		file []byte
		want []byte
	}{
		"plain":                          {wanted, new},
		"gzip":                           {kmodtest.Gzip(wanted), new},
		"zstd":                           {zstandard(wanted), new},
		"a compressed module":            {archive(dir+"updates/dkms/a-b.ko.gz", kmodtest.Gzip(new)), new},
		"microcode before it":            {join(microcode, make([]byte, 512), kmodtest.Gzip(wanted)), new},
		"padding after it":               {join(wanted, make([]byte, 1000)), new},
		"a later file of the same name":  {join(archive(dir+"updates/dkms/a-b.ko", old), wanted), new},
		"lib is no link":                 {archive("lib/modules/6.1/updates/dkms/a-b.ko", new), new},
		"names that begin with a dot":    {archive("./"+dir+"updates/dkms/a-b.ko", new), new},
		"contents that are not a module": {archive(dir+"updates/dkms/a-b.ko", []byte("x")), nil},
		"an empty file":                  {archive(dir+"updates/dkms/a-b.ko", nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "initrd.img")
			require.NoError(t, os.WriteFile(file, c.file, 0o644))
			got, err := Read(context.Background(), func(name string) bool { return name == "a_b" }, file)
			require.NoError(t, err)
			require.Len(t, got.Named("6.1", "a_b"), 1)
			assert.Empty(t, got.Named("6.2", "a_b"))
			loop := got.Named("6.1", "loop")
			require.Len(t, loop, 1)
			assert.Equal(t, "kernel/drivers/loop.ko", loop[0].Path)
			assert.Zero(t, loop[0].Identity, "nobody asked for it")
			var want kmod.Identity
			if c.want != nil {
				want = identityOf(t, c.want)
			}
			if name != "contents that are not a module" {
				assert.Equal(t, want, got.Named("6.1", "a_b")[0].Identity)
			}
		})
	}
}

// Several files count as one, and a later one decides.
func TestReadSeveral(t *testing.T) {
	const name = "lib/modules/6.1/updates/dkms/a.ko"
	old, new := kmodtest.File(kmodtest.Sample(), "old"), kmodtest.File(kmodtest.Sample(), "new")
	dir := t.TempDir()
	first, second := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	require.NoError(t, os.WriteFile(first, initramfstest.Archive(initramfstest.File{Name: name, Data: old}), 0o644))
	require.NoError(t, os.WriteFile(second, kmodtest.Gzip(initramfstest.Archive(initramfstest.File{Name: name, Data: new})), 0o644))
	got, err := Read(context.Background(), func(string) bool { return true }, first, second)
	require.NoError(t, err)
	require.Len(t, got.Modules, 1)
	assert.Equal(t, identityOf(t, new), got.Modules[0].Identity)
}

// What cannot be read to its end proves nothing.
func TestUnreadable(t *testing.T) {
	good := initramfstest.Archive(initramfstest.File{Name: "lib/modules/6.1/a.ko", Data: []byte("module")})
	for name, data := range map[string][]byte{
		"empty":                      {},
		"zeros":                      make([]byte, 100),
		"text":                       []byte("this is no archive"),
		"lz4":                        []byte("\x02\x21\x4c\x18 and so on"),
		"cut short":                  good[:len(good)-130],
		"cut short in a module":      good[:120],
		"compressed, cut short":      kmodtest.Gzip(good)[:60],
		"something else behind":      append(bytes.Clone(good), "text"...),
		"an EFI program":             append([]byte("MZ"), make([]byte, 500)...),
		"compressed text":            kmodtest.Gzip([]byte("text")),
		"a header with other digits": append([]byte("070701"), bytes.Repeat([]byte("x"), 200)...),
		"a name that is too long":    []byte("070701" + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" + "00ffffff" + "00000000"),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "initrd.img")
			require.NoError(t, os.WriteFile(file, data, 0o644))
			got, err := Read(context.Background(), func(string) bool { return true }, file)
			require.Error(t, err)
			assert.Contains(t, err.Error(), file)
			assert.Empty(t, got.Modules)
		})
	}
	_, err := Read(context.Background(), nil, filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzRead(f *testing.F) {
	archive := initramfstest.Archive(initramfstest.File{Name: "lib/modules/6.1/a.ko", Data: kmodtest.File(kmodtest.Sample(), "")})
	f.Add(archive)
	f.Add(kmodtest.Gzip(archive))
	f.Add(zstandard(archive))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Contents
		_ = c.read(&bounds{ctx: context.Background(), left: 1 << 20}, bytes.NewReader(data), func(string) bool { return true })
		for _, m := range c.Modules {
			assert.NotEmpty(t, m.Name())
		}
	})
}

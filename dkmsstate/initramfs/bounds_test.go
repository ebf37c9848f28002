package initramfs

import (
	"bytes"
	"context"
	"errors"
	"io"
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

func anyModule(string) bool { return true }

// zeros returns zstd data that unpacks to size zeros.
func zeros(t *testing.T, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	require.NoError(t, err)
	_, err = io.CopyN(w, zeroReader{}, size)
	require.NoError(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// What a small file unpacks to is bounded: padding, files, and the modules in them.
func TestMuch(t *testing.T) {
	const size, left = 8 << 20, 1 << 20
	module := initramfstest.File{Name: "lib/modules/6.1/a.ko.zst", Data: zeros(t, size)}
	file := initramfstest.File{Name: "lib/firmware", Data: make([]byte, size)}
	for name, data := range map[string][]byte{
		"padding":                      zeros(t, size),
		"a file":                       zstandard(initramfstest.Archive(file)),
		"a file that is not packed":    initramfstest.Archive(file),
		"a module":                     initramfstest.Archive(module),
		"a module in a compressed one": zstandard(initramfstest.Archive(module)),
	} {
		b := &bounds{ctx: t.Context(), left: left}
		var c Contents
		assert.ErrorIs(t, b.explain(c.read(b, unpacked{b, bytes.NewReader(data)}, anyModule)), errMuch, name)
		b.left = 3 * size
		if err := b.explain(c.read(b, unpacked{b, bytes.NewReader(data)}, anyModule)); name != "padding" {
			assert.NoError(t, err, name)
		}
	}
}

// Reading ends with its context, even within one file.
func TestEnded(t *testing.T) {
	const slow = "slow"
	ctx, cancel := context.WithCancelCause(t.Context())
	b := &bounds{ctx: ctx, left: maxBytes}
	data := initramfstest.Archive(initramfstest.File{Name: "x", Data: make([]byte, 8<<20)})
	from := io.MultiReader(bytes.NewReader(data[:4<<20]), readerFunc(func([]byte) (int, error) {
		cancel(errors.New(slow))
		return 0, nil
	}))
	var c Contents
	assert.EqualError(t, b.explain(c.read(b, unpacked{b, from}, anyModule)), slow)
	file := filepath.Join(t.TempDir(), "initrd.img")
	require.NoError(t, os.WriteFile(file, data, 0o644))
	_, err := LookFor(ctx, "6.1", "", nil, file)
	assert.ErrorContains(t, err, slow, "it is not known what it contains")
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// An error of the file, at any place, says nothing about what it contains.
func TestFileFails(t *testing.T) {
	whole := initramfstest.Archive(initramfstest.File{Name: "lib/modules/6.1/a.ko", Data: kmodtest.File(kmodtest.Sample(), "a")})
	for name, data := range map[string][]byte{"plain": whole, "gzip": kmodtest.Gzip(whole), "zstd": zstandard(whole)} {
		for at := 0; at < len(data); at += 97 {
			b := &bounds{ctx: t.Context(), left: maxBytes}
			bad := &os.PathError{Op: "read", Path: "x", Err: os.ErrInvalid}
			from := readerFunc(func(p []byte) (int, error) { return file{b, nil}.count(0, bad) })
			var c Contents
			err := b.explain(c.read(b, io.MultiReader(bytes.NewReader(data[:at]), from), anyModule))
			require.ErrorIs(t, err, os.ErrInvalid, "%s %d", name, at)
			require.False(t, final(err), "%s %d", name, at)
		}
	}
	_, err := LookFor(t.Context(), "6.1", "", nil, filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte("this is no archive"), 0o644))
	look, err := LookFor(t.Context(), "6.1", "", nil, text)
	require.NoError(t, err)
	assert.Contains(t, look.Unknown, "neither a cpio archive")
}

// An installed file that cannot be read now is read again.
func TestAdd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.ko")
	var look Look
	require.NoError(t, look.Add(t.Context(), kmod.NewReader(), "a.ko", file, "s", Look{}))
	assert.Empty(t, look.Installed)
	data := kmodtest.File(kmodtest.Sample(), "a")
	require.NoError(t, os.WriteFile(file, data, 0o644))
	require.NoError(t, look.Add(t.Context(), kmod.NewReader(), "a.ko", file, "s", look))
	assert.Equal(t, InstalledFile{"s", identityOf(t, data)}, look.Installed["a.ko"])
}

// What is named like a module is a copy of it, whatever it is.
func TestNotRegular(t *testing.T) {
	const name = "usr/lib/modules/6.1/updates/dkms/a.ko"
	data := kmodtest.File(kmodtest.Sample(), "a")
	module, link := initramfstest.File{Name: name, Data: data}, initramfstest.File{Name: name, Data: []byte("x"), Mode: initramfstest.Link}
	for what, c := range map[string]struct {
		files []initramfstest.File
		known bool
	}{
		"a link":              {[]initramfstest.File{link}, false},
		"a link in its place": {[]initramfstest.File{module, link}, false},
		"in place of a link":  {[]initramfstest.File{link, module}, true},
		"a directory":         {[]initramfstest.File{{Name: name, Mode: 0o40755}}, false},
		"a pipe":              {[]initramfstest.File{{Name: name, Mode: 0o10644}}, false},
	} {
		file := filepath.Join(t.TempDir(), "initrd.img")
		require.NoError(t, os.WriteFile(file, initramfstest.Archive(c.files...), 0o644))
		got, err := Read(t.Context(), anyModule, file)
		require.NoError(t, err)
		require.Len(t, got.Modules, 1, what)
		want := kmod.Identity{}
		if c.known {
			want = identityOf(t, data)
		}
		assert.Equal(t, want, got.Modules[0].Identity, what)
	}
}

// Which modules are in a directory that is a link is not known.
func TestLinkedDirectory(t *testing.T) {
	for name, unknown := range map[string]bool{
		"lib":                              false,
		"lib64":                            false,
		"lib/modules":                      true,
		"usr/lib/modules":                  true,
		"./usr/lib/modules/6.1":            true,
		"lib/modules/6.1/updates":          true,
		"lib/modules/6.1/kernel/drivers":   true,
		"lib/modules/6.1/build":            false,
		"usr/lib/modules/6.1/source":       false,
		"usr/lib/modules/6.1/modules.dep":  false,
		"lib/modules-load.d":               false,
		"etc/lib/modules":                  false,
		"usr/share/usr/lib/modules/6.1/up": false,
	} {
		file := filepath.Join(t.TempDir(), "initrd.img")
		require.NoError(t, os.WriteFile(file, initramfstest.Archive(initramfstest.File{Name: name, Data: []byte("x"), Mode: initramfstest.Link}), 0o644))
		_, err := Read(t.Context(), anyModule, file)
		if unknown {
			assert.ErrorIs(t, err, errLink, name)
			assert.True(t, final(err))
		} else {
			assert.NoError(t, err, name)
		}
	}
}

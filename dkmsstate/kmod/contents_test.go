package kmod

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

func contentsOf(data []byte) *contents {
	return &contents{size: int64(len(data)), from: bytes.NewReader(data)}
}

// little returns a memory limit that is too small for everything, so that compressed files are
// read as large modules are.
func little() memory { return memory{window: 1 << 20, kept: 512, alone: true} }

// zstandard returns a zstd frame that contains head, zeros and tail, with a window of
// 1<<exponent bytes.
func zstandard(exponent int, head []byte, zeros int, tail []byte) []byte {
	const longest, raw, repeated, last = 128 << 10, 0, 1, 1
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, byte(exponent-10) << 3}
	block := func(kind, size, is int, data []byte) {
		header := binary.LittleEndian.AppendUint32(nil, uint32(size<<3|kind<<1|is))
		out = append(append(out, header[:3]...), data...)
	}
	for part := range slices.Chunk(head, longest) {
		block(raw, len(part), 0, part)
	}
	for ; zeros > 0; zeros -= longest {
		block(repeated, min(zeros, longest), 0, []byte{0})
	}
	for part := range slices.Chunk(tail, longest) {
		block(raw, len(part), 0, part)
	}
	block(raw, 0, last, nil)
	return out
}

// fileOf writes data to a file and returns its path.
func fileOf(t testing.TB, data []byte) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "*.ko")
	require.NoError(t, err)
	defer file.Close()
	_, err = file.Write(data)
	require.NoError(t, err)
	return file.Name()
}

// compressedWith compresses data with a program. It skips the test if the program is not
// installed.
func compressedWith(t testing.TB, data []byte, program string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(err)
	}
	call := exec.Command(program, append(args, "-c")...)
	call.Stdin = bytes.NewReader(data)
	out, err := call.Output()
	require.NoError(t, err)
	return out
}

// The contents do not depend on the order of the reads, the compression, and how much is kept.
func TestContents(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	data := make([]byte, 100<<10)
	random.Read(data[:60<<10])
	for name, file := range map[string][]byte{
		"plain": data, "gzip": kmodtest.Gzip(data), "xz": compressedWith(t, data, "xz"), "zstd": compressedWith(t, data, "zstd"),
	} {
		for _, m := range []memory{memories()[1], {window: 8 << 20, kept: 1000, alone: true}} {
			c, err := m.open(fileOf(t, file))
			require.NoError(t, err, name)
			assert.EqualValues(t, len(data), c.size)
			for range maxPasses - 1 {
				at, got := random.Intn(len(data)+10), make([]byte, random.Intn(5000))
				n, err := c.ReadAt(got, int64(at))
				want := data[min(at, len(data)):min(at+len(got), len(data))]
				assert.True(t, bytes.Equal(want, got[:n]), "%s at %d", name, at)
				assert.Equal(t, n < len(got), err == io.EOF, name)
			}
			assert.NoError(t, c.failed)
			c.close()
		}
	}
}

// A module that would be decompressed endlessly cannot be examined.
func TestPasses(t *testing.T) {
	c, err := little().open(fileOf(t, kmodtest.Gzip(make([]byte, 10000))))
	require.NoError(t, err)
	defer c.close()
	for at := int64(9000); at > 0 && err == nil; at -= 100 {
		_, err = c.ReadAt(make([]byte, 10), at)
	}
	assert.ErrorContains(t, err, "too many times")
	assert.Equal(t, err, c.failed)
}

// A file that changes while it is read is not reported as damaged.
func TestContentsChange(t *testing.T) {
	path := fileOf(t, kmodtest.Gzip(kmodtest.File(kmodtest.Sample(), "x")))
	c, err := little().open(path)
	require.NoError(t, err)
	defer c.close()
	require.NoError(t, os.Truncate(path, 30))
	_, err = parse(c)
	assert.ErrorContains(t, err, "cannot decompress it again")
	assert.NotErrorIs(t, err, ErrDamaged)
	assert.NotErrorIs(t, err, ErrNoModule)
}

// A file that needs much memory is read alone. One that needs more than the bound is not
// damaged.
func TestWindows(t *testing.T) {
	ko := kmodtest.File(kmodtest.Sample(), "x")
	for name, row := range map[string]struct {
		file []byte
		// tries is the number of limits that are tried, one more than there are if none is
		// enough.
		tries int
	}{
		"xz":               {compressedWith(t, ko, "xz"), 2},
		"xz as in Linux":   {compressedWith(t, ko, "xz", "--check=crc32", "--lzma2=dict=1MiB"), 1},
		"xz -9":            {compressedWith(t, ko, "xz", "-9"), 3},
		"xz, more":         {compressedWith(t, ko, "xz", "--lzma2=dict=65MiB"), 3},
		"zstd":             {zstandard(23, ko, 0, nil), 2},
		"zstd --ultra -20": {zstandard(25, ko, 0, nil), 3},
		"zstd --ultra -22": {zstandard(27, ko, 0, nil), 3},
		"zstd, more":       {zstandard(28, ko, 0, nil), 4},
		"large":            {zstandard(20, ko, 5<<20, nil), 3},
	} {
		t.Run(name, func(t *testing.T) {
			path := fileOf(t, row.file)
			tries := 1
			for _, m := range memories() {
				c, err := m.open(path)
				if err == nil {
					c.close()
					break
				}
				assert.Equal(t, !m.alone, errors.Is(err, errMuch), err)
				tries++
			}
			assert.Equal(t, row.tries, tries)
			_, err := NewReader().Read(t.Context(), path)
			assert.Equal(t, tries > len(memories()), errors.Is(err, ErrUnread), err)
			assert.Equal(t, tries <= len(memories()), err == nil, err)
			assert.Equal(t, CopyAltered, NewReader().Compare(fileOf(t, append(ko, "x"...)), path).Copy)
		})
	}
}

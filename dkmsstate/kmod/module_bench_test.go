package kmod

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// BenchmarkRead reads a module of the usual size. A kernel has hundreds of them.
func BenchmarkRead(b *testing.B) {
	ko := kmodtest.Module{Vermagic: kmodtest.Sample().Vermagic, Uses: map[string]uint32{}, Exports: map[string]uint32{"mine": 1}, Name: "m"}
	for i := range 150 {
		ko.Uses[fmt.Sprintf("symbol_of_the_kernel_%d", i)] = uint32(i)
	}
	code := make([]byte, 100<<10)
	random := rand.New(rand.NewSource(1))
	for part := range slices.Chunk(code, 16) {
		random.Read(part[:6])
	}
	head, _, tail := kmodtest.Large(ko, "x", len(code), true)
	module := slices.Concat(head, code, tail)
	for name, data := range map[string][]byte{
		"plain": module, "xz": compressedWith(b, module, "xz", "--check=crc32", "--lzma2=dict=1MiB"),
		"zstd": compressedWith(b, module, "zstd", "-q"), "gzip": compressedWith(b, module, "gzip"),
	} {
		path := fileOf(b, data)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				_, err := NewReader().Read(b.Context(), path)
				require.NoError(b, err)
			}
		})
	}
}

package hooks

import (
	"context"
	"io"
	"testing"
)

func BenchmarkStatus(b *testing.B) {
	inv, _ := ParseSurroundings([]string{"DPKG_ROOT=/var/tmp/prof"})
	for b.Loop() {
		Status(context.Background(), inv, io.Discard, io.Discard)
	}
}

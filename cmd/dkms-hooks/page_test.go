package main

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks"
)

// The colours of a page are its own, and columns are aligned without them.
func TestPage(t *testing.T) {
	for _, c := range []struct {
		color bool
		want  string
	}{
		{false, "a?[31m: b\n  m/1  bad  why\n  x?b\n"},
		{true, "\x1b[1ma?[31m\x1b[0m: b\n  m/1  \x1b[31mbad\x1b[0m  \x1b[2mwhy\x1b[0m\n  x?b\n"},
	} {
		var out bytes.Buffer
		buffer := bufio.NewWriter(&out)
		p := &page{hooks.ForPeople(buffer), buffer, c.color}
		p.line(cell{"a\x1b[31m", bold}, cell{": b", plain})
		p.table("  ", [][]cell{{{"m/1", plain}, {"bad", bad}, {"why", faint}}, {{"x\nb", plain}, {"", good}, {"", faint}}})
		p.Flush()
		assert.Equal(t, c.want, out.String())
	}
}

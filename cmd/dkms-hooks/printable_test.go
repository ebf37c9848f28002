package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain\n\ttext ö ✓ £": "plain\n\ttext ö ✓ £",
		"\x1b[31mred\r\x7f":   "?[31mred??",
		"\u009b31m":           "\xc2?31m",
		"a\x00b":              "a?b",
	} {
		for cut := range len(text) + 1 {
			var out bytes.Buffer
			w := printable{out: &out}
			for _, part := range []string{text[:cut], text[cut:]} {
				n, err := w.Write([]byte(part))
				require.NoError(t, err)
				assert.Equal(t, len(part), n)
			}
			assert.Equal(t, want, out.String(), "cut at %d", cut)
		}
	}
}

package hooks

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain\n\ttext ö ✓ £ 𝄞 ś": "plain\n\ttext ö ✓ £ 𝄞 ś",
		"\x1b[31mred\r\x7f":       "?[31mred??",
		"\u009b31m":               "\xc2?31m",
		"a\x00b":                  "a?b",
		"\x9b31m":                 "?31m",
		"ö\x9b":                   "ö?",
		"\xe0\x82\x9b":            "\xe0??",
		"\xf0\x80\x82\x9b":        "\xf0???",
		"\xc0\x9b":                "\xc0?",
		"\xed\xa0\x80\x9b":        "\xed\xa0??",
		"\xe2\x9b\x1b":            "\xe2\x9b?",
		"latin1 \xe4\xa7":         "latin1 \xe4\xa7",
	} {
		for cut := range len(text) + 1 {
			var out bytes.Buffer
			w := ForPeople(&out)
			for _, part := range []string{text[:cut], text[cut:]} {
				n, err := ForPeople(w).Write([]byte(part))
				require.NoError(t, err)
				assert.Equal(t, len(part), n)
			}
			assert.Equal(t, want, out.String(), "%q cut at %d", text, cut)
		}
	}
}

// The program's own control sequences are the only ones.
func TestControl(t *testing.T) {
	var out bytes.Buffer
	w := ForPeople(&out)
	w.Control("\x1b[31m")
	Sayf(w, "a\x1b[2J\nb\t%s", "\u009bc")
	w.Control("\x1b[0m")
	assert.Equal(t, "\x1b[31mdkms-hooks: a?[2J; b??c\n\x1b[0m", out.String())
}

// Whatever is printed, in whatever parts: no control character is left but newlines and tabs, and
// text without one is as it was.
func FuzzPrintable(f *testing.F) {
	f.Add([]byte("ö\x1b[2J\xc2\x9b\xe0\x82\x9b"), uint(3))
	f.Fuzz(func(t *testing.T, text []byte, cut uint) {
		var out bytes.Buffer
		w := ForPeople(&out)
		at := min(cut, uint(len(text)))
		for _, part := range [][]byte{text[:at], text[at:]} {
			_, err := w.Write(part)
			require.NoError(t, err)
		}
		require.Len(t, out.Bytes(), len(text))
		for printed := out.Bytes(); len(printed) > 0; {
			r, size := utf8.DecodeRune(printed)
			if r == utf8.RuneError && size == 1 {
				r = rune(printed[0]) // what a terminal may take it for
				for n := 1; n <= len(printed) && !utf8.FullRune(printed[:n]); n++ {
					size = n // the beginning of a character
				}
			}
			require.True(t, r == '\n' || r == '\t' || !unicode.IsControl(r), "%q of %q", r, text)
			printed = printed[size:]
		}
		if clean := strings.ToValidUTF8(WithoutControls(string(text)), ""); clean == string(text) {
			require.Equal(t, clean, out.String())
		}
	})
}

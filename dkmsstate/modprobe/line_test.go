package modprobe

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParse(t *testing.T) {
	text := "# a comment \\\nthat goes on\n\n  \t\nsearch updates \\\n\tbuilt-in\n # no comment\noverride a\\b * extra\x00hidden\r\nexternal * /srv\\"
	at := func(number int, words ...string) Line { return Line{File: "f", Number: number, Words: words} }
	assert.Equal(t, []Line{
		at(5, "search", "updates", "built-in"),
		at(7, "#", "no", "comment"),
		at(8, "override", "ab", "*", "extra"),
		at(9, "external", "*", "/srv"),
	}, parse("f", []byte(text)))
	assert.Empty(t, parse("f", nil))
}

func TestLine(t *testing.T) {
	assert.False(t, Line{}.Known())
	assert.False(t, Line{}.Local())
	for file, local := range map[string]bool{
		"/etc/depmod.d/a.conf": true, "/run/depmod.d/a.conf": true, "/usr/local/lib/depmod.d/a.conf": true,
		"/usr/lib/depmod.d/a.conf": false, "/lib/depmod.d/a.conf": false,
	} {
		assert.Equal(t, local, Line{File: file}.Local(), file)
	}
	assert.Equal(t, `"search extra" in /etc/depmod.d/a.conf line 3`, Line{File: "/etc/depmod.d/a.conf", Number: 3, Words: []string{"search", "extra"}}.String())
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("search a built-in\noverride m * b\nexternal ^6 /srv\nexclude x\nblacklist m\ninstall [a-z]-? /bin/false\n"))
	f.Add([]byte("override m ( b\ninstall [ x\\\nsearch built-in external updates\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := parse("f", text)
		for i, l := range lines {
			assert.NotEmpty(t, l.Words)
			assert.Positive(t, l.Number)
			assert.True(t, i == 0 || lines[i-1].Number < l.Number)
			_ = l.String()
		}
		d, m := newDepmod(lines, "6.1.0"), newModprobe(lines)
		for _, pair := range [][2]string{{"a/m.ko", "b/m.ko.xz"}, {"updates/m.ko", "/srv/m.ko"}, {"kernel/x/m.ko", "updates/dkms/m.ko"}} {
			taken, line := d.Choose(pair[0], pair[1])
			other, otherLine := d.Choose(pair[1], pair[0])
			assert.Contains(t, pair, taken)
			assert.Equal(t, line, otherLine)
			assert.True(t, taken == other || !line.Known(), "a line decides whatever is read first")
			d.Excludes(pair[0])
		}
		m.Blacklisted("m")
		m.Command("a_b")
	})
}

package systemtest

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every transition can be read, and its file is called as it is.
func TestRows(t *testing.T) {
	for dir, least := range map[string]int{"transitions": 90, "callers": 15} {
		rows, err := readRows(dir)
		require.NoError(t, err)
		files, err := filepath.Glob(dir + "/[1-9][0-9][0-9]-*.sh")
		require.NoError(t, err)
		require.Len(t, rows, len(files))
		require.Greater(t, len(rows), least)
		other := regexp.MustCompile(`[^a-z0-9]+`)
		for i, r := range rows {
			slug := strings.Trim(other.ReplaceAllString(strings.ToLower(r.name), "-"), "-")
			assert.Equal(t, slug+".sh", filepath.Base(files[i])[len("100-"):])
		}
	}
}

func TestParseRow(t *testing.T) {
	const script = "\n. /srv/lib.sh\ndpkg -i \"$image1\"\n"
	const least = "#!/bin/sh\n# name: a\n# image: any\n# modules: gone\n"
	r, err := parseRow("a.sh", least+script)
	require.NoError(t, err)
	assert.Equal(t, row{name: "a", do: least + script, want: ending{image: anyStatus, modules: gone}}, r)

	all := "#!/bin/sh\n# name: a: b\n# style: debian\n# from: two\n# image: unknown\n# modules: present\n# kept: yes\n# other: unbuilt\n# exit: 100\n" + script
	r, err = parseRow("a.sh", all)
	require.NoError(t, err)
	assert.Equal(t, row{name: "a: b", style: "debian", from: two, do: all, want: ending{modules: present, kept: true, other: unbuilt, exit: 100}}, r)

	for name, c := range map[string]struct{ text, says string }{
		"no shell":          {"# name: a\n" + script, "a.sh:1: the first line is not #!/bin/sh"},
		"no script":         {least, "a.sh:5: no script follows"},
		"empty script":      {least + "\n\n", "a.sh:5: no script follows"},
		"no colon":          {least + "# kept yes\n" + script, `a.sh:5: "# kept yes" is not of the form # key: value`},
		"a command":         {least + "dpkg -l\n" + script, `a.sh:5: "dpkg -l" is not of the form`},
		"unknown key":       {least + "# stlye: debian\n" + script, `a.sh:5: there is no key "stlye"`},
		"twice":             {least + "# image: any\n" + script, "a.sh:5: image is given twice"},
		"unknown style":     {least + "# style: rpm\n" + script, `a.sh:5: style is "rpm" and none of: builddeb, debian, proxmox, `},
		"unknown beginning": {least + "# from: three\n" + script, `a.sh:5: from is "three" and none of: fresh, two`},
		"unknown fortune":   {least + "# other: left\n" + script, `a.sh:5: other is "left" and none of: present, unbuilt, gone`},
		"unknown status":    {"#!/bin/sh\n# name: a\n# image: installed\n# modules: gone\n" + script, `a.sh:3: image is "installed" and none of: `},
		"kept: no":          {least + "# kept: no\n" + script, `a.sh:5: kept is "no" and none of: yes`},
		"exit 0":            {least + "# exit: 0\n" + script, `a.sh:5: exit is no exit status of a failure: "0"`},
		"no exit status":    {least + "# exit: 256\n" + script, `a.sh:5: exit is no exit status of a failure: "256"`},
		"no modules":        {"#!/bin/sh\n# name: a\n# image: any\n" + script, "a.sh:3: the header ends without modules"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseRow("a.sh", c.text)
			assert.ErrorContains(t, err, "cannot read "+c.says)
		})
	}
}

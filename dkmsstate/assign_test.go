package dkmsstate

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadAssignments(t *testing.T) {
	tests := map[string]struct {
		text  string
		plain map[string]string
		cle   []string
	}{
		"bare":              {"A=yes\nB=no # why\n", map[string]string{"A": "yes", "B": "no"}, nil},
		"quoted":            {`A="x y" B='$z'`, map[string]string{"A": "x y", "B": "$z"}, nil},
		"escapes":           {`A=a\ b` + "\n" + `B="q\"\$r\x"`, map[string]string{"A": "a b", "B": `q"$r\x`}, nil},
		"elements":          {"A[0]=a\nA[1]=b", map[string]string{"A": "a", "A[1]": "b"}, nil},
		"array":             {"A=(a b)", map[string]string{"A": "a", "A[1]": "b"}, nil},
		"exported":          {"export A=1", map[string]string{"A": "1"}, nil},
		"an expansion":      {`A="$B/x"`, map[string]string{}, []string{"A"}},
		"in a condition":    {"if true; then A=1; fi", map[string]string{}, []string{"A"}},
		"appended":          {"A=1\nA+=2", map[string]string{"A": "1"}, []string{"A"}},
		"a command's own":   {"A=1 make", map[string]string{}, []string{"A"}},
		"the last one wins": {"A=1\nA=2", map[string]string{"A": "2"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			as, err := ReadAssignments(strings.NewReader(test.text), name)
			require.NoError(t, err)
			assert.Equal(t, test.plain, as.Plain)
			var clever []string
			for c := range as.Clever {
				clever = append(clever, c)
			}
			assert.Equal(t, test.cle, clever)
		})
	}
	_, err := ReadAssignments(strings.NewReader("if ((\n"), "x")
	assert.Error(t, err)
}

func TestReadLayout(t *testing.T) {
	tests := map[string]struct {
		main, more string
		want       string
		troubles   int
	}{
		"no file":           {"", "", "/var/lib/dkms", 0},
		"moved":             {"dkms_tree=\"/srv/dkms\"\n", "", "/srv/dkms", 0},
		"moved in .conf.d":  {"dkms_tree=/a\n", "dkms_tree='/b/'\n", "/b", 0},
		"commented":         {"# dkms_tree=/x\n", "", "/var/lib/dkms", 0},
		"clever":            {"dkms_tree=$HOME/dkms\n", "", "/var/lib/dkms", 1},
		"in a condition":    {"if true; then dkms_tree=/x; fi\n", "", "/var/lib/dkms", 1},
		"no absolute path":  {"dkms_tree=srv\n", "", "/var/lib/dkms", 1},
		"garbage":           {"if ((\n", "", "/var/lib/dkms", 1},
		"clever in another": {"dkms_tree=/a\n", "dkms_tree=`pwd`\n", "/a", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/dkms/framework.conf.d"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, "etc/dkms/framework.conf"), []byte(test.main), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(root, "etc/dkms/framework.conf.d/a.conf"), []byte(test.more), 0o644))
			l, troubles := ReadLayout(root)
			assert.Equal(t, test.want, l.Tree)
			assert.Len(t, troubles, test.troubles, "%v", troubles)
		})
	}
}

// A value that is called plain is the one that bash gives the variable.
func TestPlainIsWhatBashSays(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to compare with")
	}
	for _, text := range []string{`A=a\b`, `A="a\b\\c"`, `A='a\b'`, `A=a"b c"'d'`, "A=a\\\nb", "A=\"a\\\nb\"", "A=~x", "A=a#b", "A="} {
		as, err := ReadAssignments(strings.NewReader(text+"\n"), "x")
		require.NoError(t, err)
		if as.Clever["A"] {
			continue
		}
		out, err := exec.Command(bash, "-c", text+"\nprintf %s \"$A\"").Output()
		require.NoError(t, err)
		assert.Equal(t, string(out), as.Plain["A"], "%q", text)
	}
}

// framework.conf and dkms.conf come from anywhere; no text may do more than fail.
func FuzzReadAssignments(f *testing.F) {
	for _, seed := range []string{"dkms_tree=/x\n", "A[1]=\"b\"\n", "if true; then A=1; fi", "A=(a 'b c')", "A=$(x)"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		as, err := ReadAssignments(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		l := DefaultLayout("/")
		l.apply("fuzz", as)
		for _, path := range []string{l.Tree, l.Source, l.Install} {
			assert.True(t, filepath.IsAbs(path), path)
		}
		newConf(as)
	})
}

package shvars

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A value is known only if no shell is needed to find it. nil stands for an unknown value. An
// opaque file has no known values.
func TestRead(t *testing.T) {
	value := func(s string) *string { return &s }
	yes, empty := value("yes"), value("")
	for name, c := range map[string]struct {
		text string
		want *string
	}{
		"not set":                  {"", empty},
		"bare":                     {"A=yes # why\n", yes},
		"double quotes":            {`A="x y"`, value("x y")},
		"escapes":                  {`A=a\ b`, value("a b")},
		"element 0":                {"A[0]=yes\nA[1]=b", yes},
		"another element":          {"A[1]=b", empty},
		"array":                    {"A=(yes b)", yes},
		"empty array":              {"A=yes\nA=()", empty},
		"exported":                 {"export A=yes", yes},
		"declared":                 {"declare A=yes", yes},
		"exported later":           {"A=yes\nexport A", yes},
		"the last one wins":        {"A=no\nA=yes", yes},
		"CRLF":                     {"A=yes\r\nB=\"x\"\r\n", yes},
		"Latin-1 in a comment":     {"# M\xfcller\nA=yes\n", yes},
		"Latin-1 in a value":       {"A=M\xfcller\n", value("M\xfcller")},
		"UTF-8 in a value":         {"A='Müller'\n", value("Müller")},
		"private use in a value":   {"A='\uE0FC'\n", value("\uE0FC")},
		"bytes of both":            {"A='ü\xfc'\n", value("ü\xfc")},
		"a harmless command":       {"[ -e /x ]\necho hello\nA=yes", yes},
		"a harmless condition":     {"if [ -e /x ]; then B=1; else C=2; fi\nA=yes", yes},
		"a substitution elsewhere": {"B=$(exit 1; A=no)\nC=`eval x`\nA=yes\nD=${B%x}", yes},
		"a subshell":               {"A=yes\n(A=no)", yes},
		"a function, not called":   {"f() { A=no; exit; }\nA=yes", yes},
		"known again":              {"[ -e /x ] && A=no\nunset A\n: ${A:=no}\nA=yes", yes},

		"an expansion":             {`A="$B"`, nil},
		"dollar quotes":            {`A=$'yes'`, nil},
		"a home directory":         {`A=~/x`, nil},
		"expanded by dkms":         {`A='$B'`, nil},
		"if":                       {"if true; then A=yes; fi", nil},
		"else":                     {"if true; then :; else A=yes; fi", nil},
		"case":                     {"case $kernelver in 6.*) A=yes;; esac", nil},
		"and":                      {"[ -e /x ] && A=yes", nil},
		"or":                       {"A=yes\ntrue || A=", nil},
		"a loop":                   {"for x in 1; do A=yes; done", nil},
		"a loop's variable":        {"for A in yes; do :; done", nil},
		"a block":                  {"{ A=yes; }", nil},
		"appended":                 {"A=y\nA+=es", nil},
		"unset":                    {"A=yes\nunset A", nil},
		"a default":                {": ${A:=yes}", nil},
		"a default in a value":     {"B=${A:=yes}", nil},
		"an index that is counted": {"A[i]=yes", nil},
		"names of files":           {"A=(*)", nil},
		"braces":                   {"A=({yes,no})", nil},

		"printf -v":                     {"A=no\nprintf -v A yes", nil},
		"printf of an expansion":        {"A=no\nprintf $x A yes", nil},
		"read":                          {"read A <<< yes", nil},
		"mapfile":                       {"mapfile A < /x", nil},
		"eval":                          {"eval A=yes", nil},
		"source":                        {"source /x", nil},
		"a dot":                         {". /x", nil},
		"declare -n":                    {"declare -n B=A\nB=yes", nil},
		"readonly":                      {"readonly A=\nA=yes", nil},
		"let":                           {"let A=1", nil},
		"(( ))":                         {"((A=1))", nil},
		"$(( ))":                        {"B=$((A=1))", nil},
		"a counting loop":               {"for ((A=0; A<1; A++)); do :; done", nil},
		"[[ -eq ]]":                     {"[[ A=1 -eq 1 ]]", nil},
		"an indirection":                {"B=${!C:=yes}", nil},
		"an error if unset":             {"A=yes\n: ${B:?}", nil},
		"a function that is called":     {"f() { A=no; }\nA=yes\nf", nil},
		"a function of a harmless name": {"echo() { A=no; }\nA=yes\necho", nil},
		"exit":                          {"A=yes\nexit", nil},
		"return before":                 {"return\nA=yes", nil},
		"return in a condition":         {"[ -e /x ] && return\nA=yes", nil},
		"set -e":                        {"set -e\nfalse\nA=yes", nil},
		"trap":                          {"trap 'A=no' EXIT\nA=yes", nil},
		"a command not known":           {"frobnicate\nA=yes", nil},
		"a command not literal":         {"$x\nA=yes", nil},
		"a redirection's name":          {"true {A}>/dev/null", nil},
		"a directive of dkms":           {"DKMS_DIRECTIVE_1=A=yes", nil},
		"IFS":                           {"A=yes\nIFS=e", nil},
		"a BOM":                         {"\xef\xbb\xbfB=1\nA=yes", nil},
		"NUL":                           {"A=yes\n#\x00\n", nil},
		"not finished":                  {"A=yes\nif [ x ; then", nil},
		"CRLF in a condition":           {"A=yes\r\nif true; then\r\nB=1\r\nfi\r\n", nil},
		"what makes the parser panic":   {"A=yes\n`$\\\\", nil},
	} {
		t.Run(name, func(t *testing.T) {
			as, _ := Assignments{}.then([]byte(c.text), name)
			got, known := as.Value("A")
			if c.want == nil {
				assert.False(t, known, got)
				return
			}
			assert.True(t, known)
			assert.Equal(t, *c.want, got)
		})
	}
}

func TestElements(t *testing.T) {
	for text, want := range map[string][]string{
		"A=(a b)":                {"a", "b"},
		"A[0]=a\nA[1]=b":         {"a", "b"},
		"A[10]=b\nA[9]=a":        {"a", "b"},
		"A=(a b)\nA=(c)":         {"c"},
		"A=(a b)\nA=c":           {"c", "b"},
		"":                       nil,
		"A=(a $b)":               nil,
		"A=([1]=b)":              nil,
		"A=(a)\n[ x ] && A[1]=b": nil,
	} {
		as, err := Assignments{}.then([]byte(text), "x")
		require.NoError(t, err)
		got, known := as.Elements("A")
		assert.Equal(t, want, got, text)
		assert.Equal(t, want != nil || text == "", known, text)
	}
}

// Assignments of a further file override the earlier ones, and values that it makes uncertain
// are unknown.
func TestAFurtherFile(t *testing.T) {
	for over, want := range map[string]string{"": "yes", "A=": "", "A=no": "no", "unset A": "?", "[ x ] && A=": "?", "exit": "?", "if [": "?"} {
		as, err := Assignments{}.then([]byte("A=yes\n"), "x")
		require.NoError(t, err)
		after, _ := as.then([]byte(over), "y")
		got, known := after.Value("A")
		if !known {
			got = "?"
		}
		assert.Equal(t, want, got, over)
		got, _ = as.Value("A")
		assert.Equal(t, "yes", got, "the first is as it was")
	}
}

// A known value equals that in dkms. dkms sources the file in a subshell, writes the resulting
// values into another file, and sources that (safe_source).
func TestAKnownValueIsDKMSs(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to compare with")
	}
	const dkms = `CR=$(echo -e '\r'); to=$(mktemp); (exec >"$to"; . "$0" >/dev/null 2>&1; for v in A; do for _i in $(eval echo \${!"$v"[@]}); do eval echo '$v[$_i]=\"${'"$v"'[$_i]%$CR}\"'; done; done); . "$to"; rm "$to"; printf %s "$A"`
	for _, text := range []string{
		`A=a\b`, `A="a\b\\c"`, `A='a\b'`, `A=a"b c"'d'`, "A=a\\\nb", "A=\"a\\\nb\"", "A=~x", "A=a#b", "A=", "A=yes\r\n", "A=M\xfcller", "A='$HOME'", "A=\"x\r\"\r\n",
		"A=(yes no)\nA=no", "A=yes\n[ -e /none ] && A=no", "A=yes\n(A=no)", "A=yes\nB=$(A=no)", "A=(yes)\r\n", "A=yes\nif true; then B=1; fi", "export A=yes", "A=1\nA=()",
		"A=yes\n#\xff", "A=y\xa0es", "A=\xa0yes\x85",
	} {
		as, _ := Assignments{}.then([]byte(text+"\n"), "x")
		value, known := as.Value("A")
		if !known {
			continue
		}
		conf := filepath.Join(t.TempDir(), "conf")
		require.NoError(t, os.WriteFile(conf, []byte(text+"\n"), 0o644))
		cmd := exec.Command(bash, "-c", dkms, conf)
		cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
		out, err := cmd.Output()
		require.NoError(t, err)
		assert.Equal(t, string(out), value, "%q", text)
	}
}

// No text has a worse effect than an opaque file, and an opaque file has no known values.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"dkms_tree=/x\n", "A[1]=\"b\"\n", "if true; then A=1; fi", "A=(a 'b c')", "A=$(x)"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		as, err := Assignments{}.then(data, "fuzz")
		value, known := as.Value("A")
		assert.False(t, known && (err != nil || as.Opaque()), "%q is known", value)
		elements, known := as.Elements("A")
		assert.False(t, known && len(elements) > 0 && as.Opaque(), "%q are known", elements)
	})
}

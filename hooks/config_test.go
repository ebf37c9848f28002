package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestReadSettings(t *testing.T) {
	environment := []string{"KBUILD_SIGN_PIN=a b", "ARCH=arm64", "EMPTY=", "Q=it's", "LAST=1"}
	for name, c := range map[string]struct {
		text string
		want Config
		// line is the line of the mistake, 0 for none; mistake is a part of its text.
		line    int
		mistake string
	}{
		"empty":                             {"", Config{}, 0, ""},
		"comments":                          {"# nothing\n\n# at all\n", Config{}, 0, ""},
		"all":                               {"# comment\nOn-Failure: strict\nrequired: zfs,\n nvidia-current\n# within\nTIMEOUT:90s\n", Config{Strict: true, Required: []string{"zfs", "nvidia-current"}, Timeout: 90 * time.Second}, 0, ""},
		"carriage returns":                  {"On-Failure: strict\r\nRequired: zfs nvidia-current\r\nTimeout: 1m30s\r\n", Config{Strict: true, Required: []string{"zfs", "nvidia-current"}, Timeout: 90 * time.Second}, 0, ""},
		"jobs":                              {"Jobs: 4\n", Config{Jobs: 4}, 0, ""},
		"environment":                       {"Environment: KBUILD_SIGN_PIN='a b'  ARCH=arm64\n EMPTY= Q=\"it's\"\n# =\n LAST\n", Config{Environment: environment[:4]}, 1, "entry 5 of Environment is not NAME=VALUE"},
		"environment, all":                  {"Environment:\n KBUILD_SIGN_PIN='a b'\tARCH=arm64\r\n EMPTY= Q=\"it's\"\n# within\n LAST=1\n", Config{Environment: environment}, 0, ""},
		"no environment":                    {"Environment:\n", Config{}, 0, ""},
		"no assignment":                     {"Jobs: 1\nEnvironment: A=1 secret\n", Config{Jobs: 1, Environment: []string{"A=1"}}, 2, "entry 2 of Environment is not NAME=VALUE"},
		"no name":                           {"Environment: 1A=secret\n", Config{}, 1, "entry 1 of Environment is not NAME=VALUE"},
		"open quotes":                       {"Environment: A='b\n", Config{}, 1, "not closed"},
		"a fixed name":                      {"Environment: LC_ALL=de_DE\n", Config{}, 1, "cannot set LC_ALL"},
		"a reboot is held":                  {"Hold-Reboot: yes\n", Config{HoldReboot: true}, 0, ""},
		"a reboot is not held":              {"Hold-Reboot: no\n", Config{}, 0, ""},
		"a reboot is held, another word":    {"Hold-Reboot: true\n", Config{}, 1, `Hold-Reboot must be yes or no, not "true"`},
		"disabled":                          {"Disable: prerm, reconcile\n", Config{Disable: []Hook{Prerm, Reconciler}}, 0, ""},
		"disabled, no hook":                 {"Disable: prerm preinst\n", Config{Disable: []Hook{Prerm}}, 1, `must list hooks and reconcile, not "preinst"`},
		"the default given":                 {"On-Failure: warn\n", Config{}, 0, ""},
		"unknown field":                     {"Required: zfs\nTimout: 2h\nJobs: 4\n", Config{Required: []string{"zfs"}, Jobs: 4}, 2, `unknown field "Timout"`},
		"no jobs":                           {"Jobs: 0\n", Config{}, 1, "at least 1"},
		"jobs in words":                     {"Jobs: many\n", Config{}, 1, "at least 1"},
		"unknown word":                      {"\n\nOn-Failure: maybe\n", Config{}, 3, `"maybe"`},
		"no time":                           {"Timeout: 30\nRequired: zfs\n", Config{Required: []string{"zfs"}}, 1, "such as 90s"},
		"no time left":                      {"Timeout: -5s\n", Config{}, 1, "such as 90s"},
		"no field":                          {"Required: a\nzfs\nJobs: 2\n", Config{Required: []string{"a"}, Jobs: 2}, 2, "not a field"},
		"without a field":                   {" zfs\n", Config{}, 1, "without a field"},
		"twice":                             {"Required: a\nOn-Failure: warn\nREQUIRED: b\n c\n", Config{Required: []string{"a"}}, 3, "twice"},
		"two stanzas":                       {"Required: a\n\nOn-Failure: strict\n", Config{Required: []string{"a"}, Strict: true}, 3, "second paragraph"},
		"module with version":               {"Required: zfs/2.1 nvidia\n", Config{Required: []string{"nvidia"}}, 1, "without a version"},
		"a bad entry":                       {"Ignore: a@[ b/1@6.*\n", Config{Ignore: []Unwanted{{"b", "1", "6.*"}}}, 1, `not "a@["`},
		"a passphrase that is not indented": {"Jobs: 1\nEnvironment:\nKBUILD_SIGN_PIN=secret\n", Config{Jobs: 1}, 3, "not a field"},
		"a passphrase with a colon":         {"KBUILD_SIGN_PIN=secret:1\n", Config{}, 1, `unknown field "KBUILD_SIGN_PIN"`},
		"a trailing comment":                {"Required: zfs # or only if\n", Config{Required: []string{"zfs"}}, 1, "a line of its own"},
		"a trailing comment of a word":      {"On-Failure: strict  # fail\n", Config{Strict: true}, 1, "a line of its own"},
		"bytes":                             {"\x00\xff\n", Config{}, 1, "not a field"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want.Timeout == 0 {
				c.want.Timeout = callLimit
			}
			s := Settings{Config: DefaultConfig(), From: map[string][]string{}}
			s.parse("f", []byte(c.text))
			assert.Equal(t, c.want, s.Config)
			if c.line == 0 {
				assert.Empty(t, s.Mistakes)
				return
			}
			require.Len(t, s.Mistakes, 1)
			assert.Contains(t, s.Mistakes[0].String(), fmt.Sprintf("f, line %d: ", c.line))
			assert.Contains(t, s.Mistakes[0].Text, c.mistake)
			assert.NotContains(t, s.Mistakes[0].Text, "secret")
		})
	}
}

func TestReadSettingsOfSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	inv := Invocation{Root: dir}
	assert.Equal(t, Settings{Config: DefaultConfig(), From: map[string][]string{}}, ReadSettings(inv))
	main := filepath.Join(dir, ConfigFile)
	drop := func(name string) string { return filepath.Join(dir, ConfigDir, name) }
	require.NoError(t, os.MkdirAll(drop("directory.conf"), 0o755))
	for path, text := range map[string]string{
		main:                       "Required: zfs\nJobs: 1\n",
		drop("10-a.conf"):          "Jobs: 2\nIgnore: m@6.1*\nRequired: nvidia zfs\n",
		drop("20-b.conf"):          "Jobs: 3\nbad\n",
		drop("30-c.conf.dpkg-old"): "Jobs: 4\n",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	s := ReadSettings(inv)
	assert.Equal(t, Config{Timeout: callLimit, Jobs: 3, Required: []string{"zfs", "nvidia"}, Ignore: []Unwanted{{"m", "", "6.1*"}}}, s.Config)
	assert.Equal(t, map[string][]string{
		"Required": {main + ", line 1", drop("10-a.conf") + ", line 3"},
		"Jobs":     {main + ", line 2", drop("10-a.conf") + ", line 1", drop("20-b.conf") + ", line 1"},
		"Ignore":   {drop("10-a.conf") + ", line 2"},
	}, s.From)
	require.Len(t, s.Mistakes, 1)
	assert.Equal(t, drop("20-b.conf")+", line 2: not a field", s.Mistakes[0].String())
	require.Len(t, s.Unreadable, 1)
	assert.Contains(t, s.Unreadable[0], "directory.conf")
	assert.Contains(t, s.Fields(), Field{"Jobs", "3", s.From["Jobs"]})
	assert.Contains(t, s.Fields(), Field{"Timeout", "1h", nil})
}

// What Fields returns is a configuration file that has the same effect.
func TestFieldsAreAConfigurationFile(t *testing.T) {
	s := Settings{Config: DefaultConfig(), From: map[string][]string{}}
	s.parse("f", []byte("On-Failure: strict\nRequired: a b\nTimeout: 90m\nJobs: 2\nIgnore: a/1@6.* b c@6.1\nDisable: prerm reconcile\n"))
	again := Settings{Config: DefaultConfig(), From: map[string][]string{}}
	for _, field := range s.Fields() {
		if field.Value != "" {
			again.parse("again", []byte(field.Name+": "+field.Value+"\n"))
		}
	}
	assert.Empty(t, again.Mistakes)
	assert.Equal(t, s.Config, again.Config)
}

func TestFieldsHideValues(t *testing.T) {
	s := Settings{Config: DefaultConfig(), From: map[string][]string{}}
	s.parse("f", []byte("Environment: KBUILD_SIGN_PIN=secret A=1\n"))
	assert.NotContains(t, fmt.Sprint(s.Fields()), "secret")
}

func TestLockLimit(t *testing.T) {
	assert.Equal(t, lockLimit, DefaultConfig().lockLimit())
	assert.Equal(t, time.Second, Config{Timeout: time.Second}.lockLimit())
}

func FuzzReadSettings(f *testing.F) {
	f.Add([]byte("On-Failure: strict\nRequired: zfs\nTimeout: 1h\n"))
	f.Add([]byte("a:\n b\n\nc: d"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Settings{Config: DefaultConfig(), From: map[string][]string{}}
		s.parse("f", data)
		require.Positive(t, s.Timeout)
		for _, m := range s.Mistakes {
			require.Positive(t, m.Line)
			require.NotEmpty(t, m.Text)
		}
	})
}

// The example of the README is a configuration without a mistake.
func TestReadmeExample(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "## Configure\n")
	require.True(t, found)
	_, rest, _ = strings.Cut(rest, "```\n")
	example, _, _ := strings.Cut(rest, "```")
	s := Settings{Config: DefaultConfig(), From: map[string][]string{}}
	s.parse("README.md", []byte(example))
	assert.Empty(t, s.Mistakes)
	assert.Equal(t, []string{"zfs"}, s.Required)
}

// A pipe that nobody writes to, and a directory that cannot be read, do not stop a hook.
func TestReadSettingsDoesNotWait(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ConfigDir), 0o755))
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, ConfigDir, "a.conf"), 0o644))
	assert.Len(t, ReadSettings(Invocation{Root: dir}).Unreadable, 1)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, ConfigDir)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ConfigDir), nil, 0o644))
	assert.Len(t, ReadSettings(Invocation{Root: dir}).Unreadable, 1)
}

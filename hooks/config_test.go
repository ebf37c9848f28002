package hooks

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseConfig(t *testing.T) {
	strict := DefaultConfig()
	strict.Strict, strict.Required, strict.Timeout = true, []string{"zfs", "nvidia-current"}, 90*time.Second
	jobs := DefaultConfig()
	jobs.Jobs = 4
	environment := DefaultConfig()
	environment.Environment = []string{"KBUILD_SIGN_PIN=a b", "ARCH=arm64", "EMPTY=", "Q=it's", "LAST=1"}
	for name, c := range map[string]struct {
		text string
		want Config
		line int
		err  string
	}{
		"empty":               {"", DefaultConfig(), 0, ""},
		"comments":            {"# nothing\n\n# at all\n", DefaultConfig(), 0, ""},
		"all":                 {"# comment\nOn-Failure: strict\nrequired: zfs,\n nvidia-current\n# within\nTIMEOUT:90s\n", strict, 0, ""},
		"carriage returns":    {"On-Failure: strict\r\nRequired: zfs nvidia-current\r\nTimeout: 1m30s\r\n", strict, 0, ""},
		"jobs":                {"Jobs: 4\n", jobs, 0, ""},
		"environment":         {"Environment: KBUILD_SIGN_PIN='a b'  ARCH=arm64\n EMPTY= Q=\"it's\"\n# =\n LAST\n", Config{}, 1, "entry 5 of Environment is not NAME=VALUE"},
		"environment, all":    {"Environment:\n KBUILD_SIGN_PIN='a b'\tARCH=arm64\r\n EMPTY= Q=\"it's\"\n# within\n LAST=1\n", environment, 0, ""},
		"no environment":      {"Environment:\n", DefaultConfig(), 0, ""},
		"no assignment":       {"Jobs: 1\nEnvironment: A=1 secret\n", Config{}, 2, "entry 2 of Environment is not NAME=VALUE"},
		"no name":             {"Environment: 1A=secret\n", Config{}, 1, "entry 1 of Environment is not NAME=VALUE"},
		"open quotes":         {"Environment: A='b\n", Config{}, 1, "not closed"},
		"a fixed name":        {"Environment: LC_ALL=de_DE\n", Config{}, 1, "cannot set LC_ALL"},
		"said as it is":       {"On-Failure: warn\n", DefaultConfig(), 0, ""},
		"unknown field":       {"On-Failure: warn\nWorkers: 4\n", Config{}, 2, `unknown field "Workers"`},
		"no jobs":             {"Jobs: 0\n", Config{}, 1, "at least 1"},
		"jobs in words":       {"Jobs: many\n", Config{}, 1, "at least 1"},
		"unknown word":        {"\n\nOn-Failure: maybe\n", Config{}, 3, `"maybe"`},
		"no time":             {"Timeout: 30\n", Config{}, 1, "such as 90s"},
		"no time left":        {"Timeout: -5s\n", Config{}, 1, "such as 90s"},
		"no field":            {"Required: a\nzfs\n", Config{}, 2, `not a field: "zfs"`},
		"without a field":     {" zfs\n", Config{}, 1, "without a field"},
		"twice":               {"Required: a\nOn-Failure: warn\nREQUIRED: b\n", Config{}, 3, "twice"},
		"two stanzas":         {"Required: a\n\nOn-Failure: strict\n", Config{}, 3, "second paragraph"},
		"module with version": {"Required: zfs/2.1\n", Config{}, 1, "without a version"},
		"bytes":               {"\x00\xff\n", Config{}, 1, "not a field"},
	} {
		t.Run(name, func(t *testing.T) {
			got, line, err := parseConfig([]byte(c.text))
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
				assert.NotContains(t, err.Error(), "secret")
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.line, line)
		})
	}
}

func TestReadConfigGivesDefaultsForABadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dkms-hooks.conf")
	c, err := ReadConfig(path)
	require.NoError(t, err)
	assert.Equal(t, DefaultConfig(), c)
	require.NoError(t, os.WriteFile(path, []byte("On-Failure: strict\nbad\n"), 0o644))
	c, err = ReadConfig(path)
	assert.Equal(t, DefaultConfig(), c)
	assert.ErrorContains(t, err, path+", line 2: ")
	assert.ErrorContains(t, err, "the whole file is ignored")
}

func TestLockLimit(t *testing.T) {
	assert.Equal(t, lockLimit, DefaultConfig().lockLimit())
	assert.Equal(t, time.Second, Config{Timeout: time.Second}.lockLimit())
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("On-Failure: strict\nRequired: zfs\nTimeout: 1h\n"))
	f.Add([]byte("a:\n b\n\nc: d"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, line, err := parseConfig(data)
		if err == nil {
			require.Positive(t, c.Timeout)
		} else {
			require.Positive(t, line)
		}
	})
}

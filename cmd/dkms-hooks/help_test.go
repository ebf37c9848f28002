package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks"
)

func TestDidYouMean(t *testing.T) {
	names := []string{"status", "explain", "run", "check", "log", "history", "version"}
	for word, want := range map[string]string{
		"stauts": "status", "stats": "status", "chekc": "check", "verson": "version", "ru": "run", "statuses": "status",
		"nonsense": "", "x": "", "": "", "lo": "log", "Status": "status",
	} {
		got := didYouMean(word, names)
		if want != "" {
			want = " (did you mean " + want + "?)"
		}
		assert.Equal(t, want, got, word)
	}
}

// Every command has the same help in three ways.
func TestHelpOfEveryCommand(t *testing.T) {
	run := func(args ...string) string {
		var out, problems bytes.Buffer
		assert.Zero(t, runApp(append([]string{"dkms-hooks"}, args...), nil, &out, &problems), args)
		assert.Empty(t, problems.String())
		return out.String()
	}
	assert.Equal(t, run("--help"), run("help"))
	for _, name := range commandNames(program{}.app()) {
		help := run("help", name)
		assert.Contains(t, help, "dkms-hooks "+name, name)
		assert.Equal(t, run(name, "--help"), help, name)
	}
}

// What cannot be written is a failure of every command.
func TestOutputThatCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	root := t.TempDir()
	for _, dir := range []string{"etc", "usr", "lib/modules/6.1.0/kernel", "var/lib/dpkg"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	for _, args := range []string{"status", "status --json", "check", "version", "help", "--help", "config", "explain postinst 6.1.0"} {
		var problems bytes.Buffer
		code := runApp(append([]string{"dkms-hooks", "--root", root}, strings.Fields(args)...), nil, full, &problems)
		assert.Equal(t, hooks.StatusUnknown, code, args)
		assert.Equal(t, 1, strings.Count(problems.String(), "no space left on device"), "%s: %s", args, problems.String())
	}
}

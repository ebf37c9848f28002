package debpkg

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// triggers makes an admin directory with what was activated before.
func triggers(t *testing.T, unincorp string) (adminDir, path string) {
	t.Helper()
	adminDir = t.TempDir()
	path = filepath.Join(adminDir, "triggers", "Unincorp")
	require.NoError(t, os.Mkdir(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(unincorp), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(adminDir, "triggers", "Lock"), nil, 0o600))
	return adminDir, path
}

// dpkgTrigger is the program whose place Activate takes.
func dpkgTrigger(t *testing.T, adminDir, trigger string) {
	t.Helper()
	out, err := exec.Command("dpkg-trigger", "--admindir="+adminDir, "--by-package=p", "--no-await", trigger).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// Whatever was activated before, the file ends as dpkg-trigger leaves it.
func TestActivateDoesAsDpkgTrigger(t *testing.T) {
	if _, err := exec.LookPath("dpkg-trigger"); err != nil {
		t.Skip("there is no dpkg-trigger to compare with")
	}
	for name, before := range map[string]string{
		"nothing":         "",
		"another":         "ldconfig -\n",
		"two others":      "ldconfig -\n/usr/share/man man-db\n",
		"the same":        "mine -\n",
		"the same, in it": "ldconfig -\nmine -\nother p q\n",
		"awaited":         "mine linux-image\nother -\n",
		"awaited by two":  "mine linux-image q\n",
		"with a prefix":   "mine2 -\n",
	} {
		t.Run(name, func(t *testing.T) {
			admin, path := triggers(t, before)
			theirs, theirPath := triggers(t, before)
			require.NoError(t, Activate(admin, "mine"))
			dpkgTrigger(t, theirs, "mine")
			want, err := os.ReadFile(theirPath)
			require.NoError(t, err)
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			assert.Len(t, entries, 2, "nothing is left beside it")
		})
	}
}

// Many at once, of both kinds: none is lost.
func TestActivateKeepsTheLock(t *testing.T) {
	if _, err := exec.LookPath("dpkg-trigger"); err != nil {
		t.Skip("there is no dpkg-trigger to compare with")
	}
	admin, path := triggers(t, "")
	// A lock of fcntl(2) is the process's: ours take turns, as they do in life.
	var wait sync.WaitGroup
	wait.Add(2)
	const each = 20
	go func() {
		defer wait.Done()
		for i := range each {
			assert.NoError(t, Activate(admin, fmt.Sprintf("mine%d", i)))
		}
	}()
	go func() {
		defer wait.Done()
		for i := range each {
			dpkgTrigger(t, admin, fmt.Sprintf("theirs%d", i))
		}
	}()
	wait.Wait()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range each {
		assert.Contains(t, string(text), fmt.Sprintf("mine%d -\n", i))
		assert.Contains(t, string(text), fmt.Sprintf("theirs%d -\n", i))
	}
}

func TestActivateChangesNothingThatItDoesNotUnderstand(t *testing.T) {
	for name, before := range map[string]string{"one word": "ldconfig\n", "cut off": "ldconfig -\nma", "empty line": "\nldconfig -\n"} {
		t.Run(name, func(t *testing.T) {
			admin, path := triggers(t, before)
			require.Error(t, Activate(admin, "mine"))
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, before, string(text))
		})
	}
	admin, path := triggers(t, "")
	for _, bad := range []string{"", "two words", "line\nbreak", "\x00"} {
		assert.Error(t, Activate(admin, bad))
	}
	require.NoError(t, os.Remove(path))
	assert.Error(t, Activate(admin, "mine"), "dpkg makes the file, nobody else")
	assert.NoFileExists(t, path)
	assert.Error(t, Activate(t.TempDir(), "mine"))
	admin, path = triggers(t, "")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("/etc/passwd", path))
	assert.Error(t, Activate(admin, "mine"))
}

// Whatever is there, what others asked for stays, and asking twice is asking once.
func FuzzActivated(f *testing.F) {
	f.Add("ldconfig -\n/usr/share/man man-db p\n", "mine")
	f.Add("mine p\n", "mine")
	f.Add("", "mine")
	f.Fuzz(func(t *testing.T, text, trigger string) {
		if notATrigger(trigger) {
			return
		}
		once, err := activated(text, trigger)
		if err != nil {
			return
		}
		twice, err := activated(once, trigger)
		require.NoError(t, err)
		require.Equal(t, once, twice)
		wanted := 0
		for line := range strings.Lines(text) {
			if words := strings.Fields(line); words[0] != trigger {
				require.Contains(t, once, line)
				wanted++
			}
		}
		mine := 0
		for line := range strings.Lines(once) {
			if strings.HasPrefix(line, trigger+" ") {
				mine++
			}
		}
		require.GreaterOrEqual(t, mine, 1)
		require.GreaterOrEqual(t, strings.Count(once, "\n"), wanted+1)
	})
}

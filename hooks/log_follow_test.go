package hooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What is added to a log is printed. What is no file in the place of a log is passed over, and not
// waited for.
func TestFollower(t *testing.T) {
	top := t.TempDir()
	path := func(name string) string { return filepath.Join(top, name) }
	var out strings.Builder
	f := follower{out: &out, offset: map[string]int64{}}
	require.NoError(t, unix.Mkfifo(path("pipe"), 0o644))
	require.NoError(t, os.Symlink("log", path("link")))
	for _, text := range []string{"one\n", "one\ntwo\n", "new\n"} {
		require.NoError(t, os.WriteFile(path("log"), []byte(text), 0o644))
		for _, name := range []string{"pipe", "link", "nothing", ".", "log"} {
			require.NoError(t, f.copyNew(path(name)), name)
		}
	}
	assert.Equal(t, "==> "+path("log")+" <==\none\ntwo\nnew\n", out.String())
}

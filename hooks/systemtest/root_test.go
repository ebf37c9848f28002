//go:build integration

package systemtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// runLimit ends a command that hangs.
const runLimit = 10 * time.Minute

// root is a Debian root: an overlay over what it was forked from.
type root struct {
	dir string
	// layers are the directories that it is made of, its own first.
	layers []string
	// drop throws a fork away before its test ends.
	drop func()
}

// fork makes a root that begins as this one is now. This one must not change as
// long as the fork is used.
func (r root) fork(t *testing.T, scratch string) root {
	t.Helper()
	return r.overlay(t, scratch, "redirect_dir=on")
}

// overlay forks a root as an overlay with an option: with redirect_dir=off, which is the
// kernel's default, no directory that the root began with can be renamed.
func (r root) overlay(t *testing.T, scratch, option string) root {
	t.Helper()
	base, err := os.MkdirTemp(scratch, "root.")
	require.NoError(t, err)
	dir := func(name string) string {
		path := filepath.Join(base, name)
		require.NoError(t, os.Mkdir(path, 0o755))
		return path
	}
	f := root{dir: dir("root"), layers: append([]string{dir("upper")}, r.layers...)}
	options := option + ",lowerdir=" + strings.Join(r.layers, ":") + ",upperdir=" + f.layers[0] + ",workdir=" + dir("work")
	require.NoError(t, unix.Mount("overlay", f.dir, "overlay", 0, options))
	f.drop = sync.OnceFunc(func() {
		require.NoError(t, unix.Unmount(f.dir, unix.MNT_DETACH))
		require.NoError(t, os.RemoveAll(base))
	})
	t.Cleanup(f.drop)
	return f
}

// run runs a shell script in the root, with the variables in env, and returns
// its output and exit status. Whatever it leaves running dies with it.
func (r root) run(t *testing.T, script string, env ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", append([]string{
		"-p", "-f", "--kill-child", "--mount-proc=" + r.dir + "/proc", "chroot", r.dir, "env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
		"DEBIAN_FRONTEND=noninteractive"}, append(env, "sh", "-c", script)...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s\n%s", script, out)
	if exit := (*exec.ExitError)(nil); err != nil {
		require.ErrorAs(t, err, &exit, "%s\n%s", script, out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a script that has to succeed.
func (r root) must(t *testing.T, script string, env ...string) string {
	t.Helper()
	out, exit := r.run(t, script, env...)
	require.Zero(t, exit, "%s\n%s", script, out)
	return out
}

// path is the path of a file of the root, seen from outside.
func (r root) path(elem ...string) string {
	return filepath.Join(append([]string{r.dir}, elem...)...)
}

package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// runLimit ends a command that hangs.
const runLimit = 10 * time.Minute

// Root is a Debian root: an overlay over what it was forked from.
type Root struct {
	Dir string
	// Layers are the directories that it is made of, its own first.
	Layers []string
	// Drop throws a fork away before its test ends.
	Drop func()
}

// Fork makes a root that begins as this one is now. This one must not change as
// long as the fork is used.
func (r Root) Fork(t T, scratch string) Root {
	t.Helper()
	return r.Overlay(t, scratch, "redirect_dir=on")
}

// Overlay forks a root as an overlay with an option: with redirect_dir=off, which is the
// kernel's default, no directory that the root began with can be renamed.
func (r Root) Overlay(t T, scratch, option string) Root {
	t.Helper()
	base, err := os.MkdirTemp(scratch, "root.")
	require.NoError(t, err)
	dir := func(name string) string {
		path := filepath.Join(base, name)
		require.NoError(t, os.Mkdir(path, 0o755))
		return path
	}
	f := Root{Dir: dir("root"), Layers: append([]string{dir("upper")}, r.Layers...)}
	options := option + ",lowerdir=" + strings.Join(r.Layers, ":") + ",upperdir=" + f.Layers[0] + ",workdir=" + dir("work")
	require.NoError(t, unix.Mount("overlay", f.Dir, "overlay", 0, options))
	f.Drop = sync.OnceFunc(func() {
		require.NoError(t, unix.Unmount(f.Dir, unix.MNT_DETACH))
		require.NoError(t, os.RemoveAll(base))
	})
	t.Cleanup(f.Drop)
	return f
}

// Run runs a shell script in the root, with the variables in env, and returns
// its output and exit status. Whatever it leaves running dies with it.
func (r Root) Run(t T, script string, env ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := r.Command(ctx, env, "sh", "-c", script)
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s\n%s", script, out)
	if exit := (*exec.ExitError)(nil); err != nil {
		require.ErrorAs(t, err, &exit, "%s\n%s", script, out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Command returns a command that runs in the root, in a process namespace of its own and
// with the variables in env and no other of ours.
func (r Root) Command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "unshare", slices.Concat([]string{
		"-p", "-f", "--kill-child", "--mount-proc=" + r.Dir + "/proc", "chroot", r.Dir, "env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
		"DEBIAN_FRONTEND=noninteractive"}, env, args)...)
	cmd.WaitDelay = time.Second
	return cmd
}

// Must runs a script that has to succeed.
func (r Root) Must(t T, script string, env ...string) string {
	t.Helper()
	out, exit := r.Run(t, script, env...)
	require.Zero(t, exit, "%s\n%s", script, out)
	return out
}

// Path is the path of a file of the root, seen from outside.
func (r Root) Path(elem ...string) string {
	return filepath.Join(append([]string{r.Dir}, elem...)...)
}

// CopyIn copies a file to /srv of the root.
func (r Root) CopyIn(t T, file, name string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(r.Path("srv"), 0o755))
	require.NoError(t, os.WriteFile(r.Path("srv", name), data, 0o644))
}

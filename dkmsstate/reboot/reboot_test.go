package reboot

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// state is the content of the files below /run, by name. That of a link is its target.
type state map[string]string

func place(t *testing.T, files state) dkmsstate.Layout {
	t.Helper()
	l := dkmsstate.DefaultLayout(t.TempDir())
	require.NoError(t, os.MkdirAll(l.Path("/run/"+asideDir), 0o755))
	for name, text := range files {
		path := l.Path("/run/" + name)
		if target, link := strings.CutPrefix(text, "-> "); link {
			require.NoError(t, os.Symlink(target, path))
		} else {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
	}
	return l
}

func readRun(t *testing.T, l dkmsstate.Layout) state {
	t.Helper()
	found := state{}
	for _, dir := range []string{"", asideDir} {
		entries, err := os.ReadDir(l.Path("/run/" + dir))
		require.NoError(t, err)
		for _, e := range entries {
			name := filepath.Join(dir, e.Name())
			path := l.Path("/run/" + name)
			if target, err := os.Readlink(path); err == nil {
				found[name] = "-> " + target
			} else if !e.IsDir() {
				data, err := os.ReadFile(path)
				require.NoError(t, err)
				found[name] = string(data)
			}
		}
	}
	return found
}

const (
	asideRequest  = asideDir + "/" + request
	asideList     = asideDir + "/" + list
	asideIncoming = asideDir + "/" + incoming
)

// Each state of the files, held and released.
func TestStates(t *testing.T) {
	for name, c := range map[string]struct{ before, held, released state }{
		"nothing":            {state{}, state{}, state{}},
		"a request":          {state{request: "text"}, state{asideRequest: "text"}, state{request: "text"}},
		"with its list":      {state{request: "", list: "a\nb\n"}, state{asideRequest: "", asideList: "a\nb\n"}, state{request: "", list: "a\nb\n"}},
		"a list alone":       {state{list: "a\n"}, state{list: "a\n"}, state{list: "a\n"}},
		"held":               {state{asideRequest: "x", asideList: "a\n"}, state{asideRequest: "x", asideList: "a\n"}, state{request: "x", list: "a\n"}},
		"a newer one":        {state{asideRequest: "old", request: "new"}, state{asideRequest: "new"}, state{request: "new"}},
		"a newer list":       {state{asideRequest: "", asideList: "a\nb\n", request: "", list: "b\nc\nc\n"}, state{asideRequest: "", asideList: "a\nb\nc\n"}, state{request: "", list: "a\nb\nc\n"}},
		"lists without ends": {state{asideRequest: "", asideList: "a", list: "b"}, state{asideRequest: "", asideList: "a\nb\n"}, state{request: "", list: "a\nb\n"}},
		"killed between":     {state{asideRequest: "", list: "a\n"}, state{asideRequest: "", asideList: "a\n"}, state{request: "", list: "a\n"}},
		"killed in a merge":  {state{asideRequest: "", asideList: "a\n", asideIncoming: "b\n", list: "c\n"}, state{asideRequest: "", asideList: "a\nb\nc\n"}, state{request: "", list: "a\nb\nc\n"}},
		"killed putting back": {state{asideRequest: "", list: "a\n", asideDir + "/.reboot-required.pkgs.dkms-hooks": "x"},
			state{asideRequest: "", asideList: "a\n", asideDir + "/.reboot-required.pkgs.dkms-hooks": "x"},
			state{request: "", list: "a\n", asideDir + "/.reboot-required.pkgs.dkms-hooks": "x"}},
		"a link":          {state{request: "-> /etc", list: "a\n"}, state{asideRequest: "-> /etc", asideList: "a\n"}, state{request: "-> /etc", list: "a\n"}},
		"a dangling link": {state{request: "-> gone"}, state{request: "-> gone"}, state{request: "-> gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := place(t, c.before)
			before := Held(l)
			changed, err := Hold(t.Context(), l)
			require.NoError(t, err)
			assert.Equal(t, c.held, readRun(t, l), "held")
			assert.Equal(t, !before && Held(l), changed)
			_, request := c.before[request]
			again, err := Hold(t.Context(), l)
			require.NoError(t, err)
			assert.False(t, again)
			assert.Equal(t, c.held, readRun(t, l), "held again")
			was := Held(l)
			assert.Equal(t, was, before || request && name != "a dangling link")
			changed, err = Release(t.Context(), l)
			require.NoError(t, err)
			assert.Equal(t, was, changed)
			assert.Equal(t, c.released, readRun(t, l), "released after it was held")

			l = place(t, c.before)
			_, err = Release(t.Context(), l)
			require.NoError(t, err)
			assert.False(t, Held(l))
			assert.Equal(t, lines(c.released[list]), lines(readRun(t, l)[list]), "released at once")
		})
	}
}

func lines(text string) []string {
	list := strings.Fields(text)
	slices.Sort(list)
	return slices.Compact(list)
}

// A list that cannot be one of packages stays where it is, and the request is held and comes back.
func TestListOfAnotherKind(t *testing.T) {
	l := place(t, state{request: "x", list: "-> /etc/passwd"})
	changed, err := Hold(t.Context(), l)
	require.ErrorContains(t, err, "cannot set aside /run/reboot-required: /run/reboot-required.pkgs is not a regular file")
	assert.True(t, changed)
	assert.Equal(t, state{asideRequest: "x", list: "-> /etc/passwd"}, readRun(t, l))
	changed, err = Release(t.Context(), l)
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, state{request: "x", list: "-> /etc/passwd"}, readRun(t, l))

	l = place(t, state{asideRequest: "x", asideList: "a\n", list: "-> /etc/passwd"})
	changed, err = Release(t.Context(), l)
	require.ErrorContains(t, err, "cannot put back /run/reboot-required: ")
	assert.True(t, changed)
	assert.Equal(t, state{request: "x", asideList: "a\n", list: "-> /etc/passwd"}, readRun(t, l))
}

// A program that is killed before any of its calls leaves a state that the next one ends: the
// request is in one place, and no package is lost.
func TestKilled(t *testing.T) {
	full := state{request: "", list: "b\nc\n", asideRequest: "", asideList: "a\n", asideIncoming: "d\n"}
	for _, before := range []state{full, {request: "", list: "b\n"}} {
		want := lines(before[list] + before[asideList] + before[asideIncoming])
		for _, first := range []func(context.Context, dkmsstate.Layout) (bool, error){Hold, Release} {
			for at, killed := 0, true; killed; at++ {
				for _, second := range []func(context.Context, dkmsstate.Layout) (bool, error){Hold, Release} {
					l := place(t, before)
					killed = kill(t, l, at, first)
					between := readRun(t, l)
					assert.Equal(t, want, lines(between[list]+between[asideList]+between[asideIncoming]), "%v, call %d", before, at)
					_, err := second(t.Context(), l)
					require.NoError(t, err)
					_, err = Release(t.Context(), l)
					require.NoError(t, err)
					after := readRun(t, l)
					delete(after, asideDir+"/.reboot-required.pkgs.dkms-hooks")
					assert.Equal(t, want, lines(after[list]))
					after[list] = ""
					assert.Equal(t, state{request: "", list: ""}, after)
				}
			}
		}
	}
}

// kill calls a function, which ends before one of its system calls, and reports whether it had so
// many.
func kill(t *testing.T, l dkmsstate.Layout, at int, f func(context.Context, dkmsstate.Layout) (bool, error)) (killed bool) {
	defer func() { killed = recover() != nil }()
	calls := 0
	l.Refuse = func(string, string) error {
		if calls++; calls > at {
			panic("killed")
		}
		return nil
	}
	_, _ = f(t.Context(), l)
	return false
}

// What others put in the place of the directory is not used, and a directory that cannot be
// written to is an error.
func TestAsideOfOthers(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"a link":                func(dir string) error { return os.Symlink("/tmp", dir) },
		"a file":                func(dir string) error { return os.WriteFile(dir, nil, 0o644) },
		"writable for all":      func(dir string) error { return os.Mkdir(dir, 0o755) },
		"/run is no more there": func(dir string) error { return os.RemoveAll(filepath.Dir(dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			l := place(t, state{request: "x"})
			dir := l.Path("/run/" + asideDir)
			require.NoError(t, os.Remove(dir))
			require.NoError(t, spoil(dir))
			if name == "writable for all" {
				require.NoError(t, os.Chmod(dir, 0o777))
			}
			changed, err := Hold(t.Context(), l)
			assert.False(t, changed)
			assert.Equal(t, name != "/run is no more there", err != nil)
			_, err = os.Lstat(l.Path(File))
			assert.Equal(t, name != "/run is no more there", err == nil, "it stays")
			_, err = Release(t.Context(), l)
			require.NoError(t, err, "nothing is set aside")
			if name == "writable for all" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, request), nil, 0o644))
				_, err = Release(t.Context(), l)
				require.ErrorContains(t, err, "cannot put back /run/reboot-required: ")
			}
		})
	}
}

// Another user cannot keep this program waiting: what can be opened for reading is not locked, and
// the lock is not taken where there is nothing to do. A run that holds the lock is waited for within
// the context.
func TestLock(t *testing.T) {
	l := place(t, state{request: "x", list: "a\n"})
	require.NoError(t, os.MkdirAll(l.Path(dkmsstate.StateDir), 0o755))
	for _, dir := range []string{"/run/" + asideDir, dkmsstate.StateDir} {
		file, err := os.Open(l.Path(dir))
		require.NoError(t, err)
		defer file.Close()
		require.NoError(t, unix.Flock(int(file.Fd()), unix.LOCK_EX))
	}
	changed, err := Hold(t.Context(), l)
	require.NoError(t, err)
	assert.True(t, changed)
	files, err := filepath.Glob(l.Path(dkmsstate.StateDir + "/*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077)

	lock, err := record.AcquireReboot(t.Context(), l)
	require.NoError(t, err)
	defer lock.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Release(ended, l)
	require.ErrorIs(t, err, record.ErrLocked)
	assert.True(t, Held(l))
	changed, err = Hold(ended, l)
	require.NoError(t, err, "there is nothing to add to what is held")
	assert.False(t, changed)
	other := place(t, state{request: "x"})
	_, err = Release(ended, other)
	require.NoError(t, err)
	assert.NoDirExists(t, other.Path(dkmsstate.StateDir))
}

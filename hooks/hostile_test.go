package hooks

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// attempts returns how many cases to try: DKMS_HOOKS_CASES if it is set, otherwise as many as a
// test has time for.
func attempts(t *testing.T, otherwise int) int {
	t.Helper()
	if value := os.Getenv("DKMS_HOOKS_CASES"); value != "" {
		n, err := strconv.Atoi(value)
		require.NoError(t, err)
		return n
	}
	return otherwise
}

// ours reports whether the hooks may change a path.
func ours(path string) bool {
	for _, prefix := range []string{"root/var/lib/dkms/", "root/lib/modules/", "root/var/lib/dkms-hooks", "root/var/log"} {
		if strings.HasPrefix(path, prefix) && !strings.Contains(path, "/kernel/") && !strings.HasSuffix(path, "/modules.order") {
			return true
		}
	}
	return false
}

// changedElsewhere returns the first path that changed and must not change: one outside of the
// trees, or a registration.
func changedElsewhere(before, after map[string]string) string {
	for path, now := range after {
		if then, ok := before[path]; (!ok || then != now) && !ours(path) {
			return path
		}
	}
	for path, then := range before {
		now, ok := after[path]
		if (!ok || now != then) && (!ours(path) || strings.HasSuffix(path, "/source")) {
			return path
		}
	}
	return ""
}

// Whatever the arguments and the environment are, nothing panics, nothing outside of the trees
// changes, no registration is lost, and an invalid release changes nothing.
func TestHostileArguments(t *testing.T) {
	p := newPlayground(t, t.TempDir())
	before := p.listing()
	draw := rand.New(rand.NewSource(1))
	one := func(words ...string) string { return words[draw.Intn(len(words))] }
	noise := func() string {
		b := make([]byte, draw.Intn(12))
		for i := range b {
			b[i] = "0169.~+_-/ \x00\n*$;'\"`\\..AZé"[draw.Intn(26)]
		}
		return string(b)
	}
	kver := func() string {
		return one("6.1.0", "6.2.0", "6.1", "", "..", ".", "6.1.0/../../..", "/etc", "6.1.0\n", "-rf", "6.*", "6.1.0 ", "../6.1.0", "6..1", strings.Repeat("6", 65), noise(), "6"+noise())
	}
	ran := 0
	for range attempts(t, 400) {
		args := []string{"hook", kver()}
		if draw.Intn(4) == 0 {
			args = append(args, one("/boot/vmlinuz-6.1.0", noise(), ""))
		}
		if draw.Intn(20) == 0 {
			args = args[:draw.Intn(2)]
		}
		env := []string{"DPKG_ROOT=" + p.root}
		for name, values := range map[string][]string{
			"DEB_MAINT_PARAMS":         {"remove", "purge", "upgrade 2", "remove in-favour x 1", "configure", "'remove'", "'remove", "abort-remove", noise(), "remove\n"},
			"DPKG_MAINTSCRIPT_NAME":    {"prerm", "postinst", "postrm", "", noise()},
			"DPKG_MAINTSCRIPT_PACKAGE": {"linux-image-6.1.0", "linux-image-6.2.0", "none", "../../etc", noise()},
			"DPKG_MAINTSCRIPT_ARCH":    {"amd64", "i386", "", noise()},
			"DPKG_ADMINDIR":            {"", "/var/lib/dpkg", p.root + "/var/lib/dpkg", "relative", "/../outside", noise()},
			"PATH":                     {"", "/nonexistent"}, "IFS": {"x"}, "LC_ALL": {noise()},
		} {
			if draw.Intn(3) > 0 {
				env = append(env, name+"="+one(values...))
			}
		}
		hook := Hook(one(string(Postinst), string(HeaderPostinst), string(Prerm), string(Postrm)))
		code := Main(hook, args, env, io.Discard)
		after := p.listing()
		how := fmt.Sprintf("%s %q %q", hook, args, env)
		require.Contains(t, []int{exitOK, exitUsage}, code, how)
		require.Empty(t, changedElsewhere(before, after), how)
		if code == exitUsage {
			require.Equal(t, before, after, how)
			continue
		}
		ran++
		if len(before) != len(after) || changedTree(before, after) {
			require.NoError(t, os.RemoveAll(p.root))
			p = newPlayground(t, p.top)
			before = p.listing()
		}
	}
	require.Positive(t, ran)
}

func changedTree(before, after map[string]string) bool {
	for path, then := range before {
		if after[path] != then {
			return true
		}
	}
	return false
}

// Whatever the trees and dpkg's database contain, nothing panics or hangs, nothing outside of
// the trees changes, and no registration is lost.
func TestHostileTrees(t *testing.T) {
	draw := rand.New(rand.NewSource(2))
	top := t.TempDir()
	for n := range attempts(t, 150) {
		require.NoError(t, os.RemoveAll(filepath.Join(top, "root")))
		p := newPlayground(t, top)
		var done []string
		for range 1 + draw.Intn(4) {
			done = append(done, p.mutate(draw))
		}
		before := p.listing()
		env := []string{"DPKG_ROOT=" + p.root, "DPKG_MAINTSCRIPT_NAME=prerm", "DPKG_MAINTSCRIPT_PACKAGE=linux-image-6.1.0", "DPKG_MAINTSCRIPT_ARCH=amd64", "DEB_MAINT_PARAMS=remove"}
		if draw.Intn(2) == 0 {
			env = env[:1]
		}
		readAll(t, env)
		require.Equal(t, before, p.listing(), "case %d: looking changed something after %q", n, done)
		hook := []Hook{Prerm, Postinst, Reconciler}[draw.Intn(3)]
		if hook == Reconciler {
			inv, err := ParseSurroundings(env[:1])
			require.NoError(t, err)
			Reconcile(context.Background(), inv, false, io.Discard)
		} else {
			Main(hook, []string{"hook", "6.1.0"}, env, io.Discard)
		}
		require.Empty(t, changedElsewhere(before, p.listing()), "case %d: %s after %q", n, hook, done)
	}
}

// readAll runs everything that only reads, and ignores the errors.
func readAll(t *testing.T, env []string) {
	t.Helper()
	inv, err := ParseSurroundings(env)
	require.NoError(t, err)
	_, _ = ReadOverview(context.Background(), inv)
	_, _ = ReadBootOverview(context.Background(), inv)
	_, _ = Logs(inv, "")
	for _, hook := range []Hook{Prerm, Postinst, Postrm} {
		inv.Hook, inv.Kernel = hook, "6.1.0"
		_, _ = Explain(context.Background(), inv)
	}
}

// This proves that the two tests above can fail.
func TestChangedElsewhere(t *testing.T) {
	p := newPlayground(t, t.TempDir())
	before := p.listing()
	require.Empty(t, changedElsewhere(before, p.listing()))
	p.write("lib/modules/6.1.0/updates/dkms/alpha.ko", "other")
	require.Empty(t, changedElsewhere(before, p.listing()))
	for _, name := range []string{"../outside/file", "etc/passwd", "lib/modules/6.1.0/kernel/own.ko", "usr/src/alpha-1.0/dkms.conf", "new"} {
		p.write(name, "other")
		require.NotEmpty(t, changedElsewhere(before, p.listing()), name)
		before = p.listing()
	}
	require.NoError(t, os.Remove(filepath.Join(p.root, "var/lib/dkms/alpha/1.0/source")))
	require.Equal(t, "root/var/lib/dkms/alpha/1.0/source", changedElsewhere(before, p.listing()))
}

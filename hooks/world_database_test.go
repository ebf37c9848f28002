package hooks

import (
	"context"
	"encoding/binary"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// countOpens returns a function that returns how often the file was opened since the last call.
func countOpens(t *testing.T, path string) func() int {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	// An event that equals the one before is dropped. With IN_CLOSE in between, none is.
	_, err = unix.InotifyAddWatch(fd, path, unix.IN_OPEN|unix.IN_CLOSE)
	require.NoError(t, err)
	return func() int {
		const most = 1000
		buf := make([]byte, most*unix.SizeofInotifyEvent)
		n, err := unix.Read(fd, buf)
		if err != nil {
			return 0
		}
		count := 0
		for at := 0; at < n; at += unix.SizeofInotifyEvent { // events of a watched file have no names
			if binary.NativeEndian.Uint32(buf[at+4:])&unix.IN_OPEN != 0 {
				count++
			}
		}
		return count
	}
}

// Every command reads dpkg's database only once.
func TestTheDatabaseIsReadOnce(t *testing.T) {
	for name, c := range map[string]struct {
		hook   Hook
		kernel string
		params string
		do     func(ctx context.Context, inv Invocation)
	}{
		"postinst":             {Postinst, "6.2.0", "", func(ctx context.Context, inv Invocation) { Run(ctx, inv, false, io.Discard) }},
		"prerm of a removal":   {Prerm, "6.1.0", "remove", func(ctx context.Context, inv Invocation) { Run(ctx, inv, false, io.Discard) }},
		"reconcile":            {Reconciler, "", "", func(ctx context.Context, inv Invocation) { Reconcile(ctx, inv, false, io.Discard) }},
		"explain of a removal": {Prerm, "6.1.0", "remove", func(ctx context.Context, inv Invocation) { _, _ = Explain(ctx, inv) }},
		"explain, then run": {Prerm, "6.1.0", "remove", func(ctx context.Context, inv Invocation) {
			_, _ = Explain(ctx, inv)
			Run(ctx, inv, false, io.Discard)
		}},
		"status": {"", "", "", func(ctx context.Context, inv Invocation) { _, _ = ReadOverview(ctx, inv) }},
		"boot":   {"", "", "", func(ctx context.Context, inv Invocation) { _, _ = ReadBootOverview(ctx, inv) }},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayground(t, t.TempDir())
			p.write("lib/modules/6.1.0/updates/dkms/stray.ko", "nobody's")
			environ := []string{"DPKG_ROOT=" + p.root, "DPKG_MAINTSCRIPT_NAME=prerm", "DPKG_MAINTSCRIPT_PACKAGE=linux-image-6.1.0", "DPKG_MAINTSCRIPT_ARCH=amd64", "DEB_MAINT_PARAMS=" + c.params}
			inv, err := ParseSurroundings(environ)
			require.NoError(t, err)
			inv.Hook = c.hook
			if c.kernel != "" {
				require.NoError(t, inv.TakeArguments([]string{c.kernel}))
			}
			opened := countOpens(t, filepath.Join(p.root, "var/lib/dpkg/status"))
			c.do(t.Context(), inv)
			assert.LessOrEqual(t, opened(), 1)
			inv.resetDatabase()
			_, err = inv.database()
			require.NoError(t, err)
			assert.Equal(t, 1, opened(), "it is watched")
		})
	}
}

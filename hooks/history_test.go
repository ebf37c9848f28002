package hooks

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/debpkg"
)

func TestHistoryTellsWhoTookModulesAway(t *testing.T) {
	p := newPlayground(t, t.TempDir())
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root, "DPKG_MAINTSCRIPT_NAME=prerm", "DPKG_MAINTSCRIPT_PACKAGE=linux-image-6.1.0", "DPKG_MAINTSCRIPT_ARCH=amd64"})
	require.NoError(t, err)
	inv.Hook = Prerm
	for _, step := range []struct {
		action string
		dryRun bool
	}{{"upgrade 2", false}, {"remove", true}, {"remove", false}} {
		inv.Kernel, inv.Action = "6.1.0", debpkg.ParseAction(step.action)
		Run(context.Background(), inv, step.dryRun, io.Discard)
	}
	events, err := History(inv, "")
	require.NoError(t, err)
	var did []string
	for _, e := range events {
		did = append(did, e.Module+" "+e.Did+", "+e.Caller())
		assert.Equal(t, inv.Kernel, e.Kernel)
	}
	assert.Equal(t, []string{
		" keep, prerm by the prerm of linux-image-6.1.0 (upgrade 2)",
		" unbuild, prerm by the prerm of linux-image-6.1.0 (remove)",
		"alpha/1.0 removed, prerm by the prerm of linux-image-6.1.0 (remove)",
		"beta/1.0 removed, prerm by the prerm of linux-image-6.1.0 (remove)",
	}, did)
	events, err = History(inv, "beta")
	require.NoError(t, err)
	assert.Len(t, events, 1)
	inv.Kernel = "6.2.0"
	events, err = History(inv, "")
	require.NoError(t, err)
	assert.Empty(t, events)
}

func TestCaller(t *testing.T) {
	assert.Equal(t, "postinst by hand", Event{Hook: "postinst"}.Caller())
	assert.Equal(t, "reconcile by hand by admin", Event{Hook: "reconcile", User: "admin"}.Caller())
	assert.Equal(t, "remind", Event{Hook: remindCommand}.Caller())
	assert.Equal(t, "prerm by the prerm of p", Event{Hook: "prerm", Script: "prerm", Package: "p", User: "x"}.Caller())
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	sendJournal(path, []byte("nobody listens"))
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer conn.Close()
	sendJournal(path, journalMessage(Event{Kernel: "6.1.0", Module: "m/1.0", Did: "failed", Text: "why\nso", Hook: "postinst", Package: "p", Script: "postinst", Action: "configure"}))
	got := make([]byte, 1000)
	n, err := conn.Read(got)
	require.NoError(t, err)
	assert.Equal(t, `MESSAGE=m/1.0 for 6.1.0: failed: why; so
PRIORITY=4
SYSLOG_IDENTIFIER=dkms-hooks
DKMS_HOOKS_KERNEL=6.1.0
DKMS_HOOKS_MODULE=m/1.0
DKMS_HOOKS_VERDICT=failed
DKMS_HOOKS_HOOK=postinst
DKMS_HOOKS_PACKAGE=p
DKMS_HOOKS_SCRIPT=postinst
DKMS_HOOKS_ACTION=configure
`, string(got[:n]))
}

// A journal that does not read is no reason to wait.
func TestJournalThatIsFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer conn.Close()
	for range 10_000 {
		sendJournal(path, make([]byte, 1000))
	}
}

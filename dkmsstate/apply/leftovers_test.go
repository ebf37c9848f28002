package apply

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// The names are those of tools/depmod.c from kmod 26 on.
func TestDepmodTemp(t *testing.T) {
	for name, want := range map[string]struct {
		pid string
		ok  bool
	}{
		"modules.dep.129.423073.1795610290":         {"129", true},
		"modules.dep.bin.129.423073.1795610290":     {"129", true},
		"modules.builtin.alias.bin.1.0.1795610290":  {"1", true},
		"modules.symbols.4194304.999999.1795610290": {"4194304", true},
		"tmpfileaB3xYz":           {"", true},
		"modules.dep":             {"", false},
		"modules.dep.bin":         {"", false},
		"modules.dep.1":           {"", false},
		"modules.dep.20261125":    {"", false},
		"modules.dep.2026.11.25x": {"", false},
		"modules.dep.bak.1.2.3":   {"", false},
		"modules.dep.-1.2.3":      {"", false},
		"modules.dep.1..3":        {"", false},
		"modules.order.1.2.3":     {"", false},
		"modules.builtin.1.2.3":   {"", false},
		"tmpfile":                 {"", false},
		"tmpfileaB3xY":            {"", false},
		"tmpfileaB3xYzz":          {"", false},
		"tmpfileaB3xY.":           {"", false},
		"..1.2.3":                 {"", false},
		"kernel":                  {"", false},
		"modules.dep.99999999999999999999999999999.2.3": {"", false},
	} {
		pid, ok := dkmsstate.DepmodTemp(name)
		assert.Equal(t, want.ok, ok, name)
		if ok {
			assert.Equal(t, want.pid, pid, name)
		}
	}
}

// Files that killed programs left behind are removed, whatever else there is to do. Files that
// their owner may still need stay.
func TestLeftovers(t *testing.T) {
	const dir, gone = "lib/modules/6.1.0-test/", ".99999999.1.1700000000" // no process has such a number
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	for name, c := range map[string]struct {
		left, stays []string
	}{
		"depmod's":         {left: []string{dir + "modules.dep" + gone, dir + "modules.symbols.bin" + gone, dir + "tmpfileaB3xYz"}},
		"ours, of depmod":  {left: []string{dir + ".dkms-hooks/modules.dep", dir + ".dkms-hooks/modules.dep.bin"}},
		"ours, of modules": {left: []string{dir + "updates/dkms/.one.ko.dkms-hooks", dir + "updates/dkms/.other.ko.xz.dkms-hooks"}},
		"ours, of a link":  {left: []string{"var/lib/dkms/one/.dkms-hooks-link"}},
		"ours, of a build": {left: []string{"var/lib/dkms/one/1.0/6.1.0-test/.tmp_one.ko.xz"}},
		"the owner's": {stays: []string{
			dir + "modules.dep.20261125", dir + "modules.dep.orig", dir + "tmpfile", dir + "notes.dkms-hooks",
			dir + "updates/dkms/.hidden", dir + "updates/dkms/.conf.dkms-hooks",
		}},
		"other programs'": {stays: []string{
			"boot/initrd.img-6.1.0-test.new", "boot/initrd.img-6.1.0-test.dkms", "boot/initrd.img-6.1.0-test.dpkg-bak",
			"var/lib/dkms/one/1.0/build/make.log", dir + "modules.alias.dpkg-new",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			f.AddInstalled(one)
			for _, file := range c.stays {
				f.Write(file, "stays")
			}
			before := f.Listing()
			for _, file := range c.left {
				f.Write(file, "half")
			}
			p := plan.Autoinstall(f.Snapshot(), plan.Goal{})
			assert.Equal(t, len(c.left) == 0, p.Empty())
			assert.Equal(t, p.Leftovers, plan.Unbuild(f.Snapshot()).Leftovers)
			heals(t, f)
			assert.Equal(t, before, f.Listing())
			assert.True(t, plan.Autoinstall(f.Snapshot(), plan.Goal{}).Empty())
		})
	}
}

// The temporary files of a depmod that runs are left alone.
func TestDepmodAtWorkKeepsItsFiles(t *testing.T) {
	shell, err := exec.LookPath("sh")
	require.NoError(t, err)
	depmod := filepath.Join(t.TempDir(), "depmod")
	require.NoError(t, os.Symlink(shell, depmod))
	cmd := exec.Command(depmod, "-c", "read line")
	_, err = cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	temp := "modules.dep." + strconv.Itoa(cmd.Process.Pid) + ".1.1700000000"
	l := dkmsstate.DefaultLayout(t.TempDir())
	require.Eventually(t, func() bool { return !dkmsstate.LeftByDepmod(l, temp) }, time.Minute, time.Millisecond)
	running := dkmsstate.DefaultLayout("/")
	assert.False(t, dkmsstate.LeftByDepmod(running, "tmpfileaB3xYz"), "it names no process")
	assert.True(t, dkmsstate.LeftByDepmod(running, "modules.dep.99999999.1.1700000000"), "another depmod's")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	assert.True(t, dkmsstate.LeftByDepmod(l, temp))
}

// Temporary files in the hooks' own directory are removed when the lock is taken.
func TestOwnTempsGoWithTheLock(t *testing.T) {
	f := dkmstest.New(t)
	require.NoError(t, record.NoteUnfinished(f.Layout, dkmstest.Kernel, dkmsstate.Interrupted, false))
	require.NoError(t, record.Write(f.Layout, dkmsstate.Record{Version: dkmsstate.RecordVersion}))
	before := f.Listing()
	for _, name := range []string{".record.json", ".notice", "unfinished/." + string(dkmstest.Kernel)} {
		f.Write("var/lib/dkms-hooks/"+name+".dkms-hooks", "half")
	}
	lock, err := record.Acquire(t.Context(), f.Layout, 0, func() {})
	require.NoError(t, err)
	require.NoError(t, lock.Close())
	f.Remove("var/lib/dkms-hooks/lock")
	assert.Equal(t, before, f.Listing())
}

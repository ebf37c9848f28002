package hooks

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/record"
)

// A hook brings in what dkms would. A reconcile, which was called for no kernel, brings in only
// what waits there.
func TestGoal(t *testing.T) {
	const kernel = dkmsstate.Release("6.1.0")
	m, waiting := dkmsstate.Module{Name: "m", Version: "1"}, dkmsstate.Module{Name: "waiting", Version: "1"}
	last := map[string]dkmsstate.Last{"waiting/1": {Result: dkmsstate.LastWaiting}}
	for name, row := range map[string]struct {
		given func(r *run, kept *dkmsstate.KernelRecord)
		all   bool
	}{
		"a hook":              {func(r *run, _ *dkmsstate.KernelRecord) { r.reconciling = false }, true},
		"an unrelated run":    {func(*run, *dkmsstate.KernelRecord) {}, false},
		"a kernel seen first": {func(_ *run, kept *dkmsstate.KernelRecord) { kept.Unpacked = "" }, false},
		"a kernel that was unpacked": {func(r *run, kept *dkmsstate.KernelRecord) {
			kept.Unpacked = "before"
			r.inv.AdminDir = unpackedNow(t)
		}, true},
		"an image that was signed": {func(r *run, kept *dkmsstate.KernelRecord) {
			kept.Unpacked, kept.Looked = "before", time.Now().Add(time.Hour)
			r.inv.AdminDir = unpackedNow(t)
		}, false},
		"a removal that was given up":   {func(_ *run, kept *dkmsstate.KernelRecord) { kept.RemovedBy = "linux-image-6.1.0" }, true},
		"autoinstall_all_kernels":       {func(r *run, _ *dkmsstate.KernelRecord) { r.machine.Layout.AllKernels = true }, true},
		"check --repair":                {func(r *run, _ *dkmsstate.KernelRecord) { r.inv.BringIn = true }, true},
		"a hook that was put off":       {noteUnfinished(dkmsstate.Deferred, false), true},
		"a hook that was cut off":       {noteUnfinished(dkmsstate.Interrupted, false), true},
		"a reconcile that was cut off":  {noteUnfinished(dkmsstate.Interrupted, true), false},
		"a reconcile that was put off":  {noteUnfinished(dkmsstate.Deferred, true), false},
		"ignored, as the owner says it": {func(r *run, _ *dkmsstate.KernelRecord) { r.config.Ignore = []Unwanted{{"waiting", "", "6.*"}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			layout, _ := dkmsstate.ReadLayout(t.TempDir())
			s := dkmsstate.Snapshot{Layout: layout, Kernel: kernel}
			r := &run{reconciling: true, startup: &startup{}, machine: apply.Machine{Layout: layout}}
			kept := dkmsstate.KernelRecord{Unpacked: s.Unpacked(), Last: last}
			row.given(r, &kept)
			goal := r.goal(s, kept)
			assert.Equal(t, row.all, goal.BringIn == nil)
			if goal.BringIn != nil {
				assert.False(t, goal.BringIn(m))
				assert.True(t, goal.BringIn(waiting))
			}
			assert.Equal(t, len(r.config.Ignore) > 0, goal.Ignored(waiting))
			assert.False(t, goal.Ignored(m))
		})
	}
}

// unpackedNow returns a database in which a package of the kernel was unpacked just now.
func unpackedNow(t *testing.T) string {
	t.Helper()
	return databaseOf(t, "p", "/lib/modules/6.1.0/build\n")
}

// databaseOf returns the directory of a database with one installed package and its files.
func databaseOf(t *testing.T, name, files string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "info"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "status"), []byte("Package: "+name+"\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "info", name+".list"), []byte(files), 0o644))
	return dir
}

func noteUnfinished(why dkmsstate.Unfinished, keeping bool) func(*run, *dkmsstate.KernelRecord) {
	return func(r *run, _ *dkmsstate.KernelRecord) {
		if err := record.NoteUnfinished(r.machine.Layout, "6.1.0", why, keeping); err != nil {
			panic(err)
		}
	}
}

func TestIgnore(t *testing.T) {
	read := func(value string) Settings {
		s := Settings{From: map[string][]string{}}
		s.parse("f", []byte("Ignore: "+value+"\n"))
		return s
	}
	c := read("zfs@*-cloud-amd64, v4l2loopback/0.13, nvidia@6.1.0")
	require.Empty(t, c.Mistakes)
	for _, row := range []struct {
		name, version string
		kernel        dkmsstate.Release
		want          bool
	}{
		{"zfs", "2.3", "6.1.0-cloud-amd64", true}, {"zfs", "2.3", "6.1.0-amd64", false},
		{"v4l2loopback", "0.13", "6.1.0", true}, {"v4l2loopback", "0.14", "6.1.0", false},
		{"nvidia", "1", "6.1.0", true}, {"nvidia", "1", "6.1.01", false},
	} {
		assert.Equal(t, row.want, c.ignored(row.kernel)(dkmsstate.Module{Name: row.name, Version: row.version}), "%v", row)
	}
	for _, bad := range []string{"@6.1", "zfs@", "a/b/c", "zfs@[", "/1"} {
		c := read(bad)
		require.Len(t, c.Mistakes, 1, bad)
		assert.Contains(t, c.Mistakes[0].Text, "MODULE[/VERSION][@KERNEL-PATTERN]")
		assert.Empty(t, c.Ignore)
	}
}

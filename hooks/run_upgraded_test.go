package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
)

// moduleWorld is a root with a module of a package, which is installed on a kernel.
type moduleWorld struct {
	t    *testing.T
	r    *run
	kept map[string]dkmsstate.InstalledRecord
	// changes is how many times dpkg or dkms has changed something.
	changes int
}

const moduleKernel = dkmsstate.Release("6.1.0")

func newModuleWorld(t *testing.T) *moduleWorld {
	t.Helper()
	layout, _ := dkmsstate.ReadLayout(t.TempDir())
	w := &moduleWorld{t: t}
	w.r = &run{reconciling: true, startup: &startup{}, outcomes: outcomes{}, machine: apply.Machine{Layout: layout},
		inv: Invocation{Kernel: moduleKernel, AdminDir: databaseOf(t, "p", "")}}
	w.r.after = dkmsstate.Snapshot{Layout: layout, Kernel: moduleKernel, Arch: "x86_64"}
	for _, file := range []string{"/lib/modules/6.1.0/kernel/x.ko", "/boot/vmlinuz-6.1.0"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(layout.Path(file)), 0o755))
		require.NoError(t, os.WriteFile(layout.Path(file), nil, 0o644))
	}
	w.unpack("p", "1")
	w.register("1")
	w.install("1")
	w.look()
	return w
}

// stamp gives a file a time of its own.
func (w *moduleWorld) stamp(path string) {
	w.changes++
	at := time.Unix(int64(w.changes), 0)
	require.NoError(w.t, os.Chtimes(path, at, at))
}

// unpack unpacks a version of a package with the module of that version.
func (w *moduleWorld) unpack(name, version string) {
	list := filepath.Join(w.r.inv.AdminDir, "info", name+".list")
	require.NoError(w.t, os.WriteFile(list, []byte("/usr/src/m-"+version+"/dkms.conf\n"), 0o644))
	w.stamp(list)
	w.status(name, debpkg.Unpacked)
}

// status sets the state of a package, of which there is one.
func (w *moduleWorld) status(name string, state debpkg.State) {
	text := fmt.Sprintf("Package: %s\nStatus: install ok %s\nArchitecture: amd64\nVersion: 1\n", name, state)
	require.NoError(w.t, os.WriteFile(filepath.Join(w.r.inv.AdminDir, "status"), []byte(text), 0o644))
}

// register is dkms add, unregister is dkms remove --all, and install is dkms install.
func (w *moduleWorld) register(version string) {
	m := dkmsstate.Module{Name: "m", Version: version}
	dir := w.r.machine.Layout.VersionDir(m)
	require.NoError(w.t, os.MkdirAll(dir, 0o755))
	require.NoError(w.t, os.WriteFile(filepath.Join(dir, "source"), nil, 0o644)) // a link cannot be given a time
	w.stamp(filepath.Join(dir, "source"))
	w.r.after.Registrations = []dkmsstate.Registration{{Module: m}}
}

func (w *moduleWorld) unregister() {
	require.NoError(w.t, os.RemoveAll(w.r.machine.Layout.ModuleDir("m")))
	w.r.after.Registrations, w.r.after.Links = nil, nil
}

func (w *moduleWorld) install(version string) {
	w.r.after.Links = []dkmsstate.Link{{Name: "m", Version: version, Arch: "x86_64"}}
}

// look is a run that changes nothing.
func (w *moduleWorld) look() {
	w.kept = w.r.installed(w.kept)
}

// upgrade is the upgrade of the package to a version that does not compile. between is called after
// each step.
func (w *moduleWorld) upgrade(version string, between func()) {
	for _, step := range []func(){
		func() { w.unregister(); w.status("p", debpkg.HalfInstalled) },
		func() { w.unpack("p", version) },
		func() { w.register(version); w.status("p", debpkg.HalfConfigured) },
	} {
		step()
		between()
	}
}

func TestUpgradedModules(t *testing.T) {
	nothing := func() {}
	for name, row := range map[string]struct {
		change func(w *moduleWorld)
		want   bool
	}{
		"nothing happened":                     {func(*moduleWorld) {}, false},
		"another version":                      {func(w *moduleWorld) { w.upgrade("2", nothing) }, true},
		"another version, seen in each state":  {func(w *moduleWorld) { w.upgrade("2", w.look) }, true},
		"another revision":                     {func(w *moduleWorld) { w.upgrade("1", nothing) }, true},
		"another revision, seen in each state": {func(w *moduleWorld) { w.upgrade("1", w.look) }, true},
		"another version, removed by the postinst, seen when unpacked": {func(w *moduleWorld) {
			w.unpack("p", "2")
			w.status("p", debpkg.Unpacked)
			w.look()
			w.unregister()
			w.register("2")
			w.status("p", debpkg.HalfConfigured)
			w.look()
		}, true},
		"a package of another name": {func(w *moduleWorld) {
			w.unregister()
			require.NoError(w.t, os.Remove(filepath.Join(w.r.inv.AdminDir, "info", "p.list")))
			w.unpack("q", "2")
			w.register("2")
		}, true},
		"it was tried": {func(w *moduleWorld) {
			w.upgrade("1", nothing)
			w.r.outcomes.set("m/1", dkmsstate.LastFailed, "x", "")
			w.look()
		}, false},
		"it is installed again":      {func(w *moduleWorld) { w.upgrade("1", nothing); w.install("1") }, false},
		"dkms uninstall":             {func(w *moduleWorld) { w.r.after.Links = nil }, false},
		"dkms uninstall, a new list": {func(w *moduleWorld) { w.r.after.Links = nil; w.unpack("p", "1") }, false},
		"dkms uninstall, then upgraded": {func(w *moduleWorld) {
			w.r.after.Links = nil
			w.look()
			w.upgrade("1", w.look)
		}, false},
		"dkms remove and add": {func(w *moduleWorld) { w.unregister(); w.register("1") }, false},
		"dkms remove, then upgraded": {func(w *moduleWorld) {
			w.status("p", debpkg.Installed)
			w.unregister()
			w.look()
			w.upgrade("2", w.look)
		}, false},
		"the package removed, then installed": {func(w *moduleWorld) {
			w.unregister()
			w.status("p", debpkg.ConfigFiles)
			w.look()
			w.upgrade("1", w.look)
		}, false},
		"the old version is registered": {func(w *moduleWorld) {
			w.unpack("p", "2")
			w.r.after.Registrations, w.r.after.Links = append(w.r.after.Registrations, dkmsstate.Registration{Module: dkmsstate.Module{Name: "m", Version: "2"}}), nil
		}, false},
		"the source belongs to nobody": {func(w *moduleWorld) { w.upgrade("2", nothing); w.unpack("p", "3") }, false},
		"no package had the source": {func(w *moduleWorld) {
			w.unpack("p", "3")
			w.status("p", debpkg.Installed)
			w.look()
			w.upgrade("1", nothing)
		}, false},
		"no run saw it": {func(w *moduleWorld) { w.kept = nil; w.upgrade("1", nothing) }, false},
		"a kernel that does not boot": {func(w *moduleWorld) {
			w.upgrade("1", nothing)
			require.NoError(w.t, os.Remove(w.r.machine.Layout.Path("/boot/vmlinuz-6.1.0")))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newModuleWorld(t)
			row.change(w)
			w.r.record = &dkmsstate.Record{Kernels: map[dkmsstate.Release]dkmsstate.KernelRecord{moduleKernel: {Installed: w.kept}}}
			got := false
			for _, reg := range w.r.after.Registrations {
				got = got || w.r.upgraded(w.r.after, reg.Module)
			}
			assert.Equal(t, row.want, got, "%+v", w.kept)
		})
	}
}

// A module of no package is looked up once, and what is not installed and belongs to nobody leaves
// the record.
func TestInstalledModules(t *testing.T) {
	w := newModuleWorld(t)
	require.Equal(t, "p", w.kept["m"].Package)
	before := w.kept
	w.look()
	assert.Equal(t, before, w.kept)
	w.unpack("p", "1")
	w.look()
	assert.Equal(t, before, w.kept, "the postinst may still take the module away")
	w.status("p", debpkg.Installed)
	w.look()
	assert.NotEqual(t, before, w.kept, "the package was unpacked, and the module is installed")
	w.r.after.Links = nil
	w.look()
	assert.Nil(t, w.kept)
}

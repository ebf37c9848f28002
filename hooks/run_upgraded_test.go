package hooks

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
)

func TestUpgradedModules(t *testing.T) {
	const kernel = dkmsstate.Release("6.1.0")
	before, now := dkmsstate.Module{Name: "m", Version: "1"}, dkmsstate.Module{Name: "m", Version: "2"}
	type world struct {
		image    bool
		snapshot dkmsstate.Snapshot
		builds   map[string]dkmsstate.BuildRecord
		files    string
	}
	for name, row := range map[string]struct {
		change func(w *world)
		want   bool
	}{
		"a package replaced the version": {func(*world) {}, true},
		"the old version is registered": {func(w *world) {
			w.snapshot.Registrations = append(w.snapshot.Registrations, dkmsstate.Registration{Module: before})
		}, false},
		"a version is installed":           {func(w *world) { w.snapshot.Links = []dkmsstate.Link{{Name: "m", Version: "1", Arch: "x86_64"}} }, false},
		"the same version was built":       {func(w *world) { w.builds = map[string]dkmsstate.BuildRecord{"m/2 x86_64": {}} }, false},
		"another module was built":         {func(w *world) { w.builds = map[string]dkmsstate.BuildRecord{"mm/1 x86_64": {}} }, false},
		"nothing was built":                {func(w *world) { w.builds = nil }, false},
		"the source belongs to nobody":     {func(w *world) { w.files = "/usr/src/other-2/dkms.conf\n" }, false},
		"a kernel that does not boot next": {func(w *world) { w.image = false }, false},
	} {
		t.Run(name, func(t *testing.T) {
			layout, _ := dkmsstate.ReadLayout(t.TempDir())
			w := world{image: true, builds: map[string]dkmsstate.BuildRecord{"m/1 x86_64": {}}, files: "/usr/src/m-2/dkms.conf\n",
				snapshot: dkmsstate.Snapshot{Layout: layout, Kernel: kernel, Arch: "x86_64", Registrations: []dkmsstate.Registration{{Module: now}}}}
			row.change(&w)
			require.NoError(t, os.MkdirAll(layout.Path("/lib/modules/6.1.0/kernel"), 0o755))
			require.NoError(t, os.MkdirAll(layout.Path("/boot"), 0o755))
			if w.image {
				require.NoError(t, os.WriteFile(layout.Path("/boot/vmlinuz-6.1.0"), nil, 0o644))
			}
			r := &run{reconciling: true, startup: &startup{}, inv: Invocation{Kernel: kernel, AdminDir: databaseOf(t, "p", w.files)}, machine: apply.Machine{Layout: layout},
				record: &dkmsstate.Record{Kernels: map[dkmsstate.Release]dkmsstate.KernelRecord{kernel: {Builds: w.builds}}}}
			assert.Equal(t, row.want, r.upgraded(w.snapshot, now))
		})
	}
}

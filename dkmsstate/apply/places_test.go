package apply

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
)

// elsewhere returns a root whose dkms installs where each dkms.conf says, with a module
// that is installed in /kernel/net.
func elsewhere(t *testing.T, m dkmsstate.Module) dkmstest.Root {
	f := dkmstest.New(t)
	f.Layout.Destination = dkmsstate.Destination{}
	f.Register(m, "DEST_MODULE_LOCATION=/kernel/net/\n")
	f.AddInstalled(m)
	f.Remove(f.InstalledFile(m.Name + ".ko"))
	f.RemoveAll("lib/modules/6.1.0-test/updates")
	f.Write("lib/modules/6.1.0-test/kernel/net/"+m.Name+".ko", dkmstest.BuiltOf(m))
	dep := "kernel/own.ko:\nkernel/net/" + m.Name + ".ko: kernel/own.ko\n"
	f.Write("lib/modules/6.1.0-test/modules.dep", dep)
	f.Write("lib/modules/6.1.0-test/modules.dep.bin", dep)
	return f
}

// TestPlaces plays what a run meets where dkms does not install in updates/dkms.
func TestPlaces(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	const installed = "lib/modules/6.1.0-test/kernel/net/m.ko"
	build := dkmstest.BuiltOf(m)
	for name, row := range map[string]struct {
		change func(f *dkmstest.Root)
		plan   []plan.Step
		depmod string
		// after is what is in place of the module after the plan was carried out.
		after string
	}{
		"in order":  {func(*dkmstest.Root) {}, nil, "", build},
		"gone":      {func(f *dkmstest.Root) { f.Remove(installed) }, []plan.Step{{Op: plan.OpRestore, Reason: "m.ko is not in kernel/net"}}, "modules.dep names m.ko, which is gone", build},
		"truncated": {func(f *dkmstest.Root) { f.Write(installed, "") }, []plan.Step{{Op: plan.OpRestore, Reason: "m.ko in kernel/net is not the built file: it is empty"}}, "", build},
		"modules.dep does not name it": {func(f *dkmstest.Root) { f.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\n") }, nil,
			"modules.dep does not name m.ko", build},
		"its link gone": {func(f *dkmstest.Root) { f.Remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64") },
			[]plan.Step{{Op: plan.OpRestore, Reason: "its kernel link is gone"}}, "", build},
		"put there by another dkms": {func(f *dkmstest.Root) { f.Layout.Destination.Under = dkmsstate.InstalledUnder }, nil, "", build},
		"only dkms knows where":     {func(f *dkmstest.Root) { f.Layout.Destination.Unknown = true }, nil, "", build},
		"gone, only dkms knows where": {func(f *dkmstest.Root) {
			f.Layout.Destination.Unknown = true
			f.Remove(installed)
		}, nil, "", ""},
		"overwritten by the kernel's own": {func(f *dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/modules.order", "kernel/own.ko\nkernel/net/m.ko\n")
			f.Write(installed, "the kernel's own")
			f.Write("var/lib/dkms/m/original_module/6.1.0-test/x86_64/m.ko", "the kernel's own")
		}, []plan.Step{{Op: plan.OpUnlink, Reason: "m.ko in kernel/net was replaced by the kernel's own module"},
			{Op: plan.OpInstall, Reason: "m.ko in kernel/net was replaced by the kernel's own module"}}, "", "the kernel's own"},
		"never installed, since the kernel has it": {func(f *dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/modules.order", "kernel/own.ko\nkernel/net/m.ko\n")
			f.Write(installed, "the kernel's own")
		}, nil, "", "the kernel's own"},
	} {
		t.Run(name, func(t *testing.T) {
			f := elsewhere(t, m)
			row.change(&f)
			s := f.Snapshot()
			p := plan.Autoinstall(s, plan.Goal{})
			var steps []plan.Step
			for _, task := range p.Tasks {
				steps = append(steps, task.Steps...)
			}
			assert.Equal(t, row.plan, steps)
			assert.Equal(t, row.depmod, p.Depmod)
			machine := Machine{Layout: f.Layout, Engine: &scripted{Root: f}}
			machine.Run(t.Context(), s, p, func(int, plan.Task) {}, func(int, Result) {})
			if listing := f.Listing(); row.after == "" {
				assert.NotContains(t, listing, installed)
			} else {
				f.Write("expected", row.after)
				assert.Equal(t, f.Listing()["expected"], listing[installed])
			}
		})
	}
}

// A module stays where another dkms installed it. Its owner may have changed the file since; one of the
// kernel's own is nobody's work, and nothing is installed without a kernel link.
func TestPlaceOfChangedFile(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	const installed = "lib/modules/6.1.0-test/kernel/net/m.ko"
	signed := string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Signed: true}, m.String()))
	for name, row := range map[string]struct {
		change func(f *dkmstest.Root)
		want   dkmsstate.File
	}{
		"as built": {func(*dkmstest.Root) {}, dkmsstate.File{Dir: "kernel/net", Installed: "m.ko", Copy: kmod.CopySame}},
		"signed":   {func(f *dkmstest.Root) { f.Write(installed, signed) }, dkmsstate.File{Dir: "kernel/net", Installed: "m.ko", Copy: kmod.CopyAltered}},
		"compressed": {func(f *dkmstest.Root) {
			f.Remove(installed)
			f.Write(installed+".gz", string(kmodtest.Gzip([]byte(dkmstest.BuiltOf(m)))))
		}, dkmsstate.File{Dir: "kernel/net", Installed: "m.ko.gz", Copy: kmod.CopyAltered}},
		"the kernel's own": {func(f *dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/modules.order", "kernel/own.ko\nkernel/net/m.ko\n")
			f.Write(installed, signed)
		}, dkmsstate.File{Dir: dkmsstate.InstalledUnder, Installed: "m.ko", Copy: kmod.CopyMissing}},
		"perhaps the kernel's own": {func(f *dkmstest.Root) {
			f.Remove("lib/modules/6.1.0-test/modules.order")
			f.Write(installed, signed)
		}, dkmsstate.File{Dir: dkmsstate.InstalledUnder, Installed: "m.ko", Copy: kmod.CopyMissing}},
		"without a kernel link": {func(f *dkmstest.Root) {
			f.Remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
			f.Write(installed, signed)
		}, dkmsstate.File{Dir: dkmsstate.InstalledUnder, Installed: "m.ko", Copy: kmod.CopyMissing}},
	} {
		t.Run(name, func(t *testing.T) {
			f := elsewhere(t, m)
			f.Layout.Destination.Under = dkmsstate.InstalledUnder
			row.change(&f)
			b, _ := f.Snapshot().Build(m, dkmstest.Arch)
			require.Len(t, b.Files, 1)
			got := b.Files[0]
			assert.Equal(t, row.want, dkmsstate.File{Dir: got.Dir, Installed: got.Installed, Copy: got.Copy})
		})
	}
}

// A removal takes away what dkms installed, wherever that is, and nothing else.
func TestUnbuildElsewhere(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	f := elsewhere(t, m)
	s := f.Snapshot()
	tree := Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}
	require.NoError(t, tree.Unbuild(m))
	tree.RemoveEmptyDirs(s.InstallDirs())
	assert.NoDirExists(t, f.Path("lib/modules/6.1.0-test/kernel/net"))
	assert.DirExists(t, f.Path("lib/modules/6.1.0-test/kernel"))

	f = elsewhere(t, m)
	f.Write("lib/modules/6.1.0-test/modules.order", "kernel/net/m.ko\n")
	f.Write("lib/modules/6.1.0-test/kernel/net/m.ko", "the kernel's own")
	require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(m))
	assert.FileExists(t, f.Path("lib/modules/6.1.0-test/kernel/net/m.ko"))

	f = elsewhere(t, m)
	f.Write("var/lib/dkms/m/original_module/6.1.0-test/x86_64/m.ko", "the kernel's own")
	f.Write("var/lib/dkms/m/original_module/6.1.0-test/x86_64/m.ko.origin", "/lib/modules/6.1.0-test/kernel/net/m.ko\n")
	require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(m))
	f.Write("expected", "the kernel's own")
	assert.Equal(t, f.Listing()["expected"], f.Listing()["lib/modules/6.1.0-test/kernel/net/m.ko"], "it is put back")

	gone := elsewhere(t, m)
	gone.Write("var/lib/dkms/m/original_module/6.1.0-test/x86_64/m.ko", "the kernel's own")
	gone.Write("var/lib/dkms/m/original_module/6.1.0-test/x86_64/m.ko.origin", "/lib/modules/6.1.0-test/kernel/net/m.ko\n")
	gone.Remove("lib/modules/6.1.0-test/modules.order")
	gone.Remove("lib/modules/6.1.0-test/kernel/own.ko")
	require.NoError(t, Tree{Layout: gone.Layout, Kernel: dkmstest.Kernel}.Unbuild(m))
	assert.NoFileExists(t, gone.Path("lib/modules/6.1.0-test/kernel/net/m.ko"), "the kernel is gone")

	f = elsewhere(t, m)
	f.Layout.Destination.Under = dkmsstate.InstalledUnder
	f.Write("lib/modules/6.1.0-test/kernel/net/m.ko", string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Signed: true}, m.String())))
	require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(m))
	assert.NoFileExists(t, f.Path("lib/modules/6.1.0-test/kernel/net/m.ko"), "its owner signed it where an older dkms had installed it")

	f = elsewhere(t, m)
	f.Layout.Destination.Unknown = true
	f.Write("lib/modules/6.1.0-test/kernel/net/m.ko", "signed by somebody")
	p := plan.Unbuild(f.Snapshot())
	require.Len(t, p.Tasks, 1)
	assert.Equal(t, plan.Step{Op: plan.OpDKMSUnbuild, Reason: "only dkms knows where it is installed"}, p.Tasks[0].Steps[0])
}

// What dkms installed among a kernel's own modules stays when these are removed.
func TestKernelThereWithoutModulesOfItsOwn(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	f := elsewhere(t, m)
	assert.True(t, f.Layout.KernelThere(dkmstest.Kernel))
	f.Remove("lib/modules/6.1.0-test/modules.order")
	assert.True(t, f.Layout.KernelThere(dkmstest.Kernel), "it has a module of its own")
	f.Remove("lib/modules/6.1.0-test/kernel/own.ko")
	assert.False(t, f.Layout.KernelThere(dkmstest.Kernel))
	f.Remove("lib/modules/6.1.0-test/kernel/net/m.ko")
	assert.True(t, f.Layout.KernelThere(dkmstest.Kernel), "nothing shows that it is gone")
}

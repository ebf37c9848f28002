package apply

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
)

func TestAutoinstallPlan(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	tests := map[string]struct {
		given  func(f dkmstest.Root)
		want   []plan.Op
		depmod bool
		broken int
		waits  int
	}{
		"all in order":                    {func(f dkmstest.Root) { f.AddInstalled(one) }, nil, false, 0, 0},
		"never built":                     {func(f dkmstest.Root) {}, []plan.Op{plan.OpBuild, plan.OpInstall}, false, 0, 0},
		"built, not installed":            {func(f dkmstest.Root) { f.AddBuild(one) }, []plan.Op{plan.OpInstall}, false, 0, 0},
		"build directory without a build": {func(f dkmstest.Root) { f.AddBuild(one); f.Remove(f.BuildFile(one)) }, []plan.Op{plan.OpClear, plan.OpBuild, plan.OpInstall}, false, 0, 0},
		"empty built file": {func(f dkmstest.Root) { f.AddInstalled(one); f.Write(f.BuildFile(one), "") },
			[]plan.Op{plan.OpClear, plan.OpBuild, plan.OpRestore}, false, 0, 0},
		"installed file gone":    {func(f dkmstest.Root) { f.AddInstalled(one); f.Remove(f.InstalledFile("one.ko")) }, []plan.Op{plan.OpRestore}, true, 0, 0},
		"installed file differs": {func(f dkmstest.Root) { f.AddInstalled(one); f.Write(f.InstalledFile("one.ko"), "other") }, []plan.Op{plan.OpRestore}, false, 0, 0},
		"installed file empty":   {func(f dkmstest.Root) { f.AddInstalled(one); f.Write(f.InstalledFile("one.ko"), "") }, []plan.Op{plan.OpRestore}, false, 0, 0},
		"link gone, file there":  {func(f dkmstest.Root) { f.AddInstalled(one); f.Remove("var/lib/dkms/one/kernel-6.1.0-test-x86_64") }, []plan.Op{plan.OpRestore}, false, 0, 0},
		"link there, build gone": {func(f dkmstest.Root) { f.AddInstalled(one); f.RemoveAll("var/lib/dkms/one/1.0/6.1.0-test") }, []plan.Op{plan.OpBuild, plan.OpRestore}, false, 0, 0},
		"modules.dep of the package": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\n")
		}, nil, true, 0, 0},
		"modules.dep.bin gone":     {func(f dkmstest.Root) { f.AddInstalled(one); f.Remove("lib/modules/6.1.0-test/modules.dep.bin") }, nil, true, 0, 0},
		"no headers, all in order": {func(f dkmstest.Root) { f.AddInstalled(one); f.RemoveAll("lib/modules/6.1.0-test/build") }, nil, false, 0, 0},
		"no headers, never built":  {func(f dkmstest.Root) { f.RemoveAll("lib/modules/6.1.0-test/build") }, nil, false, 0, 1},
		"installed file signed by its owner": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write(f.InstalledFile("one.ko"), string(kmodtest.Sign([]byte(dkmstest.BuiltOf(one)), "owner")))
		}, nil, false, 0, 0},
		"another module is installed in its name": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			two := dkmsstate.Module{Name: "two", Version: "1.0"}
			f.Register(two, "")
			f.Write("var/lib/dkms/two/1.0/6.1.0-test/x86_64/module/one.ko", dkmstest.BuiltOf(two))
			f.Link(dkmsstate.LinkTarget(two, dkmstest.Kernel, dkmstest.Arch), "var/lib/dkms/two/kernel-6.1.0-test-x86_64")
			f.Write(f.InstalledFile("one.ko"), dkmstest.BuiltOf(two))
		}, nil, false, 0, 0},
		"another module is installed in its name, which calls itself otherwise": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			two := dkmsstate.Module{Name: "two", Version: "1.0"}
			f.Register(two, "")
			other := string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Name: "two"}, "two"))
			f.Write("var/lib/dkms/two/1.0/6.1.0-test/x86_64/module/one.ko", other)
			f.Link(dkmsstate.LinkTarget(two, dkmstest.Kernel, dkmstest.Arch), "var/lib/dkms/two/kernel-6.1.0-test-x86_64")
			f.Write(f.InstalledFile("one.ko"), other)
		}, nil, false, 0, 0},
		"another module is installed in its name, and it is not": {func(f dkmstest.Root) {
			f.AddBuild(one)
			two := dkmsstate.Module{Name: "two", Version: "1.0"}
			f.Register(two, "")
			f.Write("var/lib/dkms/two/1.0/6.1.0-test/x86_64/module/one.ko", dkmstest.BuiltOf(two))
			f.Link(dkmsstate.LinkTarget(two, dkmstest.Kernel, dkmstest.Arch), "var/lib/dkms/two/kernel-6.1.0-test-x86_64")
			f.Write(f.InstalledFile("one.ko"), dkmstest.BuiltOf(two))
			f.Depmod()
		}, nil, false, 1, 0},
		"no headers, file differs": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.RemoveAll("lib/modules/6.1.0-test/build")
			f.Write(f.InstalledFile("one.ko"), "x")
		}, []plan.Op{plan.OpRestore}, false, 0, 0},
		"dangling source, installed": {func(f dkmstest.Root) { f.AddInstalled(one); f.RemoveAll("usr/src/one-1.0") }, nil, false, 1, 0},
		"no dkms.conf":               {func(f dkmstest.Root) { f.Remove("usr/src/one-1.0/dkms.conf") }, nil, false, 1, 0},
		"dkms.conf is garbage":       {func(f dkmstest.Root) { f.Write("usr/src/one-1.0/dkms.conf", "if ((") }, nil, false, 1, 0},
		"only dkms can tell":         {func(f dkmstest.Root) { f.Write("usr/src/one-1.0/dkms.conf", ": ${AUTOINSTALL:=yes}") }, nil, false, 1, 0},
		"only dkms can, installed":   {func(f dkmstest.Root) { f.AddInstalled(one); f.Write("usr/src/one-1.0/dkms.conf", "if ((") }, nil, false, 0, 0},
		"dkms.conf is a pipe":        {func(f dkmstest.Root) { f.Pipe("usr/src/one-1.0/dkms.conf") }, nil, false, 1, 0},
		"dkms.conf is a directory": {func(f dkmstest.Root) {
			f.Remove("usr/src/one-1.0/dkms.conf")
			f.Write("usr/src/one-1.0/dkms.conf/x", "")
		}, nil, false, 1, 0},
		"Latin-1 in a comment":     {func(f dkmstest.Root) { f.Write("usr/src/one-1.0/dkms.conf", "AUTOINSTALL=yes # M\xfcller\n") }, []plan.Op{plan.OpBuild, plan.OpInstall}, false, 0, 0},
		"an override is /dev/null": {func(f dkmstest.Root) { f.Write("etc/dkms/x", ""); f.Link("/dev/null", "etc/dkms/one.conf") }, []plan.Op{plan.OpBuild, plan.OpInstall}, false, 0, 0},
		"an override is a pipe":    {func(f dkmstest.Root) { f.Write("etc/dkms/x", ""); f.Pipe("etc/dkms/one.conf") }, nil, false, 1, 0},
		"AUTOINSTALL is off":       {func(f dkmstest.Root) { f.Write("usr/src/one-1.0/dkms.conf", "AUTOINSTALL=no\n") }, nil, false, 0, 0},
		"no AUTOINSTALL":           {func(f dkmstest.Root) { f.Write("usr/src/one-1.0/dkms.conf", "PACKAGE_NAME=one\n") }, nil, false, 0, 0},
		"switched off in /etc":     {func(f dkmstest.Root) { f.Write("etc/dkms/one.conf", "AUTOINSTALL=\n") }, nil, false, 0, 0},
		"no AUTOINSTALL, by hand": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("usr/src/one-1.0/dkms.conf", "")
			f.Remove(f.InstalledFile("one.ko"))
		}, []plan.Op{plan.OpRestore}, true, 0, 0},
		"no-autoinstall": {func(f dkmstest.Root) { f.Write("etc/dkms/no-autoinstall", "") }, nil, false, 1, 0},
		"no-autoinstall, nothing wanted": {func(f dkmstest.Root) {
			f.Write("etc/dkms/no-autoinstall", "")
			f.Write("usr/src/one-1.0/dkms.conf", "AUTOINSTALL=no\n")
		}, nil, false, 0, 0},
		"no-autoinstall, a link to nothing": {func(f dkmstest.Root) { f.Write("etc/dkms/x", ""); f.Link("/gone", "etc/dkms/no-autoinstall") }, []plan.Op{plan.OpBuild, plan.OpInstall}, false, 0, 0},
		"no-autoinstall, a directory":       {func(f dkmstest.Root) { f.Write("etc/dkms/no-autoinstall/x", "") }, []plan.Op{plan.OpBuild, plan.OpInstall}, false, 0, 0},
		"no-autoinstall, installed": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("etc/dkms/no-autoinstall", "")
			f.Remove(f.InstalledFile("one.ko"))
		}, []plan.Op{plan.OpRestore}, true, 0, 0},
		"a need that nobody meets": {func(f dkmstest.Root) { f.Write("usr/src/one-1.0/dkms.conf", "AUTOINSTALL=yes\nBUILD_DEPENDS=two") }, nil, false, 1, 0},
		"the kernel has it (dkms 3.0)": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Remove(f.InstalledFile("one.ko"))
			f.Write("lib/modules/6.1.0-test/modules.dep", "kernel/drivers/one.ko.xz:\n")
		}, nil, false, 0, 0},
		"link that names another kernel's build": {func(f dkmstest.Root) { f.Link("1.0/5.0/x86_64", "var/lib/dkms/one/kernel-6.1.0-test-x86_64") },
			[]plan.Op{plan.OpUnlink, plan.OpBuild, plan.OpInstall}, false, 0, 0},
		"such a link of a module that nobody wants": {func(f dkmstest.Root) {
			f.Write("usr/src/one-1.0/dkms.conf", "")
			f.Link("1.0/5.0/x86_64", "var/lib/dkms/one/kernel-6.1.0-test-x86_64")
		}, []plan.Op{plan.OpUnlink}, false, 0, 0},
		"remains of an interrupted build": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("var/lib/dkms/one/1.0/6.1.0-test/.tmp_x86_64_abcdef/module/one.ko", "half")
		}, []plan.Op{plan.OpRemoveLeftovers}, false, 0, 0},
		"remains of an interrupted removal": {func(f dkmstest.Root) {
			f.Write("var/lib/dkms/one/1.0/.unbuild-6.1.0-test/x86_64/module/one.ko", "built")
		}, []plan.Op{plan.OpBuild, plan.OpInstall, plan.OpRemoveLeftovers}, false, 0, 0},
		"word of a depmod that is due": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("var/lib/dkms/depmod-pending-6.1.0-test-x86_64", "")
		}, nil, true, 0, 0},
		"such word for another kernel": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("var/lib/dkms/depmod-pending-6.1.0-test-rt-x86_64", "")
		}, nil, false, 0, 0},
		"a build of another architecture": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("boot/config-6.1.0-test", "CONFIG_X86_64=y\n")
			f.Write("var/lib/dkms/one/1.0/6.1.0-test/i686/module/one.ko", "built")
			f.Link("1.0/6.1.0-test/i686", "var/lib/dkms/one/kernel-6.1.0-test-i686")
		}, []plan.Op{plan.OpRemoveOtherArch}, false, 0, 0},
		"another architecture, the kernel's unknown": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("var/lib/dkms/one/1.0/6.1.0-test/i686/module/one.ko", "built")
		}, nil, false, 0, 0},
		"plain where the kernel's own are compressed": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko.gz:\nupdates/dkms/one.ko:\n")
		}, []plan.Op{plan.OpCompress, plan.OpRestore}, false, 0, 0},
		"compressed, and plain beside it": {func(f dkmstest.Root) {
			f.Write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko.gz", "built")
			f.Write(f.InstalledFile("one.ko.gz"), "built")
			f.Write(f.InstalledFile("one.ko"), "older")
			f.Link(dkmsstate.LinkTarget(one, dkmstest.Kernel, dkmstest.Arch), "var/lib/dkms/one/kernel-6.1.0-test-x86_64")
			f.Depmod()
		}, []plan.Op{plan.OpRestore}, false, 0, 0},
		"a file that is no module's": {func(f dkmstest.Root) { f.Write(f.InstalledFile("mine.ko"), "mine"); f.AddInstalled(one) }, nil, false, 1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			test.given(f)
			p := plan.Autoinstall(f.Snapshot(), plan.Goal{})
			heals(t, f)
			var ops []plan.Op
			for _, task := range p.Tasks {
				for _, step := range task.Steps {
					ops = append(ops, step.Op)
					assert.NotEmpty(t, step.Reason)
				}
			}
			assert.Equal(t, test.want, ops)
			assert.Equal(t, test.depmod, p.Depmod != "", "depmod: %q", p.Depmod)
			assert.Len(t, p.Broken, test.broken)
			assert.Len(t, p.NeedHeaders, test.waits)
		})
	}
}

// heals carries out the plan for a root, with a dkms that works. It checks that everything is
// done then: a second plan has nothing left to do.
func heals(t *testing.T, f dkmstest.Root) {
	t.Helper()
	before := f.Snapshot()
	p := plan.Autoinstall(before, plan.Goal{})
	e := &scripted{Root: f, fates: map[string]fate{}}
	m := Machine{Layout: f.Layout, Engine: e}
	results := m.Run(t.Context(), before, p, func(int, plan.Task) {}, func(int, Result) {})
	require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.RemoveLeftovers(p.Leftovers))
	after := f.Snapshot()
	for _, r := range results {
		require.NoError(t, r.Err)
		require.NoError(t, Verify(after, r.Task))
	}
	require.NoError(t, finish(m.Finish(t.Context(), &after, len(results) > 0)))
	again := plan.Autoinstall(f.Snapshot(), plan.Goal{})
	assert.Empty(t, again.Tasks, "tasks that are left")
	assert.Empty(t, again.Depmod, "depmod is still to run")
	assert.Empty(t, again.Leftovers)
	assert.Empty(t, Lost(before, f.Snapshot()))
}

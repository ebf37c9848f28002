package dkmsstate

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

func TestAutoinstallPlan(t *testing.T) {
	one := Module{"one", "1.0"}
	tests := map[string]struct {
		given  func(f fabricated)
		want   []Op
		depmod bool
		broken int
		waits  int
	}{
		"all in order":                    {func(f fabricated) { f.install(one) }, nil, false, 0, 0},
		"never built":                     {func(f fabricated) {}, []Op{OpBuild, OpInstall}, false, 0, 0},
		"built, not installed":            {func(f fabricated) { f.build(one) }, []Op{OpInstall}, false, 0, 0},
		"build directory without a build": {func(f fabricated) { f.build(one); f.remove(f.buildFile(one)) }, []Op{OpClear, OpBuild, OpInstall}, false, 0, 0},
		"empty built file": {func(f fabricated) { f.install(one); f.write(f.buildFile(one), "") },
			[]Op{OpClear, OpBuild, OpRestore}, false, 0, 0},
		"installed file gone":        {func(f fabricated) { f.install(one); f.remove(f.installedFile("one.ko")) }, []Op{OpRestore}, true, 0, 0},
		"installed file differs":     {func(f fabricated) { f.install(one); f.write(f.installedFile("one.ko"), "other") }, []Op{OpRestore}, false, 0, 0},
		"installed file empty":       {func(f fabricated) { f.install(one); f.write(f.installedFile("one.ko"), "") }, []Op{OpRestore}, false, 0, 0},
		"link gone, file there":      {func(f fabricated) { f.install(one); f.remove("var/lib/dkms/one/kernel-6.1.0-test-x86_64") }, []Op{OpRestore}, false, 0, 0},
		"link there, build gone":     {func(f fabricated) { f.install(one); f.removeAll("var/lib/dkms/one/1.0/6.1.0-test") }, []Op{OpBuild, OpRestore}, false, 0, 0},
		"modules.dep of the package": {func(f fabricated) { f.install(one); f.write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\n") }, nil, true, 0, 0},
		"modules.dep.bin gone":       {func(f fabricated) { f.install(one); f.remove("lib/modules/6.1.0-test/modules.dep.bin") }, nil, true, 0, 0},
		"no headers, all in order":   {func(f fabricated) { f.install(one); f.removeAll("lib/modules/6.1.0-test/build") }, nil, false, 0, 0},
		"no headers, never built":    {func(f fabricated) { f.removeAll("lib/modules/6.1.0-test/build") }, nil, false, 0, 1},
		"installed file signed by its owner": {func(f fabricated) {
			f.install(one)
			f.write(f.installedFile("one.ko"), string(kmodtest.Sign([]byte(builtOf(one)), "owner")))
		}, nil, false, 0, 0},
		"another module is installed in its name": {func(f fabricated) {
			f.install(one)
			two := Module{"two", "1.0"}
			f.register(two, "")
			f.write("var/lib/dkms/two/1.0/6.1.0-test/x86_64/module/one.ko", builtOf(two))
			f.link(linkTarget(two, testKernel, testArch), "var/lib/dkms/two/kernel-6.1.0-test-x86_64")
			f.write(f.installedFile("one.ko"), builtOf(two))
		}, nil, false, 0, 0},
		"another module is installed in its name, which calls itself otherwise": {func(f fabricated) {
			f.install(one)
			two := Module{"two", "1.0"}
			f.register(two, "")
			other := string(kmodtest.File(kmodtest.Module{Vermagic: testMagic, Name: "two"}, "two"))
			f.write("var/lib/dkms/two/1.0/6.1.0-test/x86_64/module/one.ko", other)
			f.link(linkTarget(two, testKernel, testArch), "var/lib/dkms/two/kernel-6.1.0-test-x86_64")
			f.write(f.installedFile("one.ko"), other)
		}, nil, false, 0, 0},
		"another module is installed in its name, and it is not": {func(f fabricated) {
			f.build(one)
			two := Module{"two", "1.0"}
			f.register(two, "")
			f.write("var/lib/dkms/two/1.0/6.1.0-test/x86_64/module/one.ko", builtOf(two))
			f.link(linkTarget(two, testKernel, testArch), "var/lib/dkms/two/kernel-6.1.0-test-x86_64")
			f.write(f.installedFile("one.ko"), builtOf(two))
			f.depmod()
		}, nil, false, 1, 0},
		"no headers, file differs": {func(f fabricated) {
			f.install(one)
			f.removeAll("lib/modules/6.1.0-test/build")
			f.write(f.installedFile("one.ko"), "x")
		}, []Op{OpRestore}, false, 0, 0},
		"dangling source, installed": {func(f fabricated) { f.install(one); f.removeAll("usr/src/one-1.0") }, nil, false, 1, 0},
		"no dkms.conf":               {func(f fabricated) { f.remove("usr/src/one-1.0/dkms.conf") }, nil, false, 1, 0},
		"dkms.conf is garbage":       {func(f fabricated) { f.write("usr/src/one-1.0/dkms.conf", "if ((") }, nil, false, 1, 0},
		"only dkms can tell":         {func(f fabricated) { f.write("usr/src/one-1.0/dkms.conf", ": ${AUTOINSTALL:=yes}") }, nil, false, 1, 0},
		"only dkms can, installed":   {func(f fabricated) { f.install(one); f.write("usr/src/one-1.0/dkms.conf", "if ((") }, nil, false, 0, 0},
		"dkms.conf is a pipe":        {func(f fabricated) { f.pipe("usr/src/one-1.0/dkms.conf") }, nil, false, 1, 0},
		"dkms.conf is a directory":   {func(f fabricated) { f.remove("usr/src/one-1.0/dkms.conf"); f.write("usr/src/one-1.0/dkms.conf/x", "") }, nil, false, 1, 0},
		"Latin-1 in a comment":       {func(f fabricated) { f.write("usr/src/one-1.0/dkms.conf", "AUTOINSTALL=yes # M\xfcller\n") }, []Op{OpBuild, OpInstall}, false, 0, 0},
		"an override is /dev/null":   {func(f fabricated) { f.write("etc/dkms/x", ""); f.link("/dev/null", "etc/dkms/one.conf") }, []Op{OpBuild, OpInstall}, false, 0, 0},
		"an override is a pipe":      {func(f fabricated) { f.write("etc/dkms/x", ""); f.pipe("etc/dkms/one.conf") }, nil, false, 1, 0},
		"AUTOINSTALL is off":         {func(f fabricated) { f.write("usr/src/one-1.0/dkms.conf", "AUTOINSTALL=no\n") }, nil, false, 0, 0},
		"no AUTOINSTALL":             {func(f fabricated) { f.write("usr/src/one-1.0/dkms.conf", "PACKAGE_NAME=one\n") }, nil, false, 0, 0},
		"switched off in /etc":       {func(f fabricated) { f.write("etc/dkms/one.conf", "AUTOINSTALL=\n") }, nil, false, 0, 0},
		"no AUTOINSTALL, by hand": {func(f fabricated) {
			f.install(one)
			f.write("usr/src/one-1.0/dkms.conf", "")
			f.remove(f.installedFile("one.ko"))
		}, []Op{OpRestore}, true, 0, 0},
		"no-autoinstall": {func(f fabricated) { f.write("etc/dkms/no-autoinstall", "") }, nil, false, 0, 0},
		"no-autoinstall, installed": {func(f fabricated) {
			f.install(one)
			f.write("etc/dkms/no-autoinstall", "")
			f.remove(f.installedFile("one.ko"))
		}, []Op{OpRestore}, true, 0, 0},
		"a need that nobody meets": {func(f fabricated) { f.write("usr/src/one-1.0/dkms.conf", "AUTOINSTALL=yes\nBUILD_DEPENDS=two") }, nil, false, 1, 0},
		"the kernel has it (dkms 3.0)": {func(f fabricated) {
			f.install(one)
			f.remove(f.installedFile("one.ko"))
			f.write("lib/modules/6.1.0-test/modules.dep", "kernel/drivers/one.ko.xz:\n")
		}, nil, false, 0, 0},
		"link that names another kernel's build": {func(f fabricated) { f.link("1.0/5.0/x86_64", "var/lib/dkms/one/kernel-6.1.0-test-x86_64") },
			[]Op{OpUnlink, OpBuild, OpInstall}, false, 0, 0},
		"such a link of a module that nobody wants": {func(f fabricated) {
			f.write("usr/src/one-1.0/dkms.conf", "")
			f.link("1.0/5.0/x86_64", "var/lib/dkms/one/kernel-6.1.0-test-x86_64")
		}, []Op{OpUnlink}, false, 0, 0},
		"remains of an interrupted build": {func(f fabricated) {
			f.install(one)
			f.write("var/lib/dkms/one/1.0/6.1.0-test/.tmp_x86_64_abcdef/module/one.ko", "half")
		}, []Op{OpRemoveLeftovers}, false, 0, 0},
		"remains of an interrupted removal": {func(f fabricated) {
			f.write("var/lib/dkms/one/1.0/.unbuild-6.1.0-test/x86_64/module/one.ko", "built")
		}, []Op{OpBuild, OpInstall, OpRemoveLeftovers}, false, 0, 0},
		"word of a depmod that is due": {func(f fabricated) { f.install(one); f.write("var/lib/dkms/depmod-pending-6.1.0-test-x86_64", "") }, nil, true, 0, 0},
		"such word for another kernel": {func(f fabricated) { f.install(one); f.write("var/lib/dkms/depmod-pending-6.1.0-test-rt-x86_64", "") }, nil, false, 0, 0},
		"a build of another architecture": {func(f fabricated) {
			f.install(one)
			f.write("boot/config-6.1.0-test", "CONFIG_X86_64=y\n")
			f.write("var/lib/dkms/one/1.0/6.1.0-test/i686/module/one.ko", "built")
			f.link("1.0/6.1.0-test/i686", "var/lib/dkms/one/kernel-6.1.0-test-i686")
		}, []Op{OpRemoveOtherArch}, false, 0, 0},
		"another architecture, the kernel's unknown": {func(f fabricated) {
			f.install(one)
			f.write("var/lib/dkms/one/1.0/6.1.0-test/i686/module/one.ko", "built")
		}, nil, false, 0, 0},
		"plain where the kernel's own are compressed": {func(f fabricated) {
			f.install(one)
			f.write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko.gz:\nupdates/dkms/one.ko:\n")
		}, []Op{OpCompress, OpRestore}, false, 0, 0},
		"compressed, and plain beside it": {func(f fabricated) {
			f.write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko.gz", "built")
			f.write(f.installedFile("one.ko.gz"), "built")
			f.write(f.installedFile("one.ko"), "older")
			f.link(linkTarget(one, testKernel, testArch), "var/lib/dkms/one/kernel-6.1.0-test-x86_64")
			f.depmod()
		}, []Op{OpRestore}, false, 0, 0},
		"a file that is no module's": {func(f fabricated) { f.write(f.installedFile("mine.ko"), "mine"); f.install(one) }, nil, false, 1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			test.given(f)
			p := PlanAutoinstall(f.snapshot(), Goal{})
			heals(t, f)
			var ops []Op
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

func TestNewestVersionIsBroughtInAndTheInstalledOneKept(t *testing.T) {
	f := fabricate(t)
	old, mid, latest := Module{"m", "9.1"}, Module{"m", "10.0"}, Module{"m", "10.2"}
	f.register(old, "")
	f.register(mid, "")
	f.register(latest, "")
	f.install(mid)
	f.remove(f.installedFile("m.ko"))
	p := PlanAutoinstall(f.snapshot(), Goal{})
	require.Len(t, p.Tasks, 2)
	assert.Equal(t, Task{Module: mid, Arch: testArch, Steps: []Step{{OpRestore, "m.ko is not in updates/dkms"}}}, p.Tasks[0])
	assert.Equal(t, latest, p.Tasks[1].Module)
}

func TestBuildsFollowTheirNeeds(t *testing.T) {
	f := fabricate(t)
	f.register(Module{"a", "1"}, "BUILD_DEPENDS[0]=b\nBUILD_DEPENDS[1]=c")
	f.register(Module{"b", "1"}, "BUILD_DEPENDS=\"c\"")
	f.register(Module{"c", "1"}, "")
	f.register(Module{"x", "1"}, "BUILD_DEPENDS=y")
	f.register(Module{"y", "1"}, "BUILD_DEPENDS=x")
	p := PlanAutoinstall(f.snapshot(), Goal{})
	var names []string
	for _, task := range p.Tasks {
		names = append(names, task.Module.Name)
	}
	assert.Equal(t, []string{"c", "b", "a"}, names)
	assert.Len(t, p.Broken, 2, "a circle is told, not built")
}

func TestOtherKernelsLinksAreNotOurs(t *testing.T) {
	f := fabricate(t)
	m := Module{"m", "1"}
	f.register(m, "")
	f.link("1/6.1.0-test-rt/x86_64", "var/lib/dkms/m/kernel-6.1.0-test-rt-x86_64")
	assert.Empty(t, f.snapshot().Links)
}

func TestVersionsAreOrderedAsDkmsOrdersThem(t *testing.T) {
	for _, pair := range [][2]string{{"9", "10"}, {"1.9", "1.10"}, {"1.0", "1.0a"}, {"0.13.2", "0.15.0"}, {"535.99", "535.183"}} {
		assert.True(t, versionLess(pair[0], pair[1]), pair)
		assert.False(t, versionLess(pair[1], pair[0]), pair)
	}
}

func (f fabricated) remove(name string) {
	f.t.Helper()
	require.NoError(f.t, os.Remove(f.path(name)))
}

func (f fabricated) removeAll(name string) {
	f.t.Helper()
	require.NoError(f.t, os.RemoveAll(f.path(name)))
}

// heals carries the plan for a root out, with a dkms that works: what needs
// doing is done then, and nothing is left to do. A second plan for the state that
// the first one left must not find more.
func heals(t *testing.T, f fabricated) {
	t.Helper()
	before := f.snapshot()
	p := PlanAutoinstall(before, Goal{})
	e := &scripted{fabricated: f, fates: map[string]fate{}}
	m := Machine{Layout: f.layout, Engine: e}
	results := m.Run(t.Context(), before, p, func(int, Task) {}, func(int, Result) {})
	require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.RemoveLeftovers(p.Leftovers))
	after := f.snapshot()
	for _, r := range results {
		require.NoError(t, r.Err)
		require.NoError(t, Verify(after, r.Task))
	}
	require.NoError(t, finish(m.Finish(t.Context(), &after, len(results) > 0)))
	again := PlanAutoinstall(f.snapshot(), Goal{})
	assert.Empty(t, again.Tasks, "tasks that are left")
	assert.Empty(t, again.Depmod, "depmod is still to run")
	assert.Empty(t, again.Leftovers)
	assert.Empty(t, Lost(before, f.snapshot()))
}

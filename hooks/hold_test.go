package hooks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
)

// Which modules hold a reboot: those that certainly do not load in any version, on the kernel that
// boots next.
func TestHoldsReboot(t *testing.T) {
	next := bootloader.Choice{Certainty: bootloader.Decided, Kernel: "6.2.0"}
	with := func(verdict LoadVerdict) ModuleView {
		return ModuleView{Module: "zfs", Required: true, Load: &LoadView{Verdict: verdict}}
	}
	unwanted := ModuleView{Module: "zfs", Required: true}
	for name, c := range map[string]struct {
		next    bootloader.Choice
		modules []ModuleView
		want    []string
	}{
		"it loads":                  {next, []ModuleView{with(WillLoad)}, nil},
		"it cannot be told":         {next, []ModuleView{with(CannotTell)}, nil},
		"it does not load":          {next, []ModuleView{with(WillNotLoad)}, []string{"zfs"}},
		"not required":              {next, []ModuleView{{Module: "zfs", Load: &LoadView{Verdict: WillNotLoad}}}, nil},
		"another version loads":     {next, []ModuleView{with(WillNotLoad), with(WillLoad)}, nil},
		"another version may load":  {next, []ModuleView{with(CannotTell), with(WillNotLoad)}, nil},
		"no version loads":          {next, []ModuleView{with(WillNotLoad), with(WillNotLoad), unwanted}, []string{"zfs"}},
		"not wanted":                {next, []ModuleView{unwanted}, nil},
		"the newest kernel":         {bootloader.Choice{Certainty: bootloader.Newest, Kernel: "6.2.0"}, []ModuleView{with(WillNotLoad)}, []string{"zfs"}},
		"another kernel boots next": {bootloader.Choice{Certainty: bootloader.Decided, Kernel: "6.1.0"}, []ModuleView{with(WillNotLoad)}, nil},
		"it cannot be told which":   {bootloader.Choice{Certainty: bootloader.Unknown}, []ModuleView{with(WillNotLoad)}, nil},
	} {
		kernels := []KernelView{{Release: "6.2.0", Present: true, Modules: c.modules}, {Release: "6.1.0", Present: true}}
		assert.Equal(t, c.want, holdsReboot(Overview{NextBoot: c.next, Kernels: kernels}), name)
	}
}

// heldMachine is a machine whose newest kernel lacks alpha, and that is asked to reboot.
func heldMachine(t *testing.T) (playground, Invocation) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root holds a reboot")
	}
	p := newPlayground(t, t.TempDir())
	p.write("etc/dkms-hooks.conf", "Required: alpha\nHold-Reboot: yes\n")
	p.write("run/reboot-required", "*** System restart required ***\n")
	p.write("run/reboot-required.pkgs", "linux-image-6.2.0\n")
	p.uninstall("6.2.0")
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
	require.NoError(t, err)
	return p, inv
}

func (p playground) uninstall(kernel string) {
	for _, name := range []string{"var/lib/dkms/alpha/kernel-" + kernel + "-x86_64", "lib/modules/" + kernel + "/updates/dkms/alpha.ko"} {
		require.NoError(p.t, os.RemoveAll(filepath.Join(p.root, name)))
	}
}

// settle holds or releases the reboot of a machine as if it were booted from there.
func settle(t *testing.T, inv Invocation, where origin) (holdChange, Overview) {
	t.Helper()
	a := newAssessor(t.Context(), inv, withRecord(inv))
	a.boot.origin = where
	o, err := a.bootOverview()
	require.NoError(t, err)
	change, err := a.holdReboot(&o, remindCommand)
	require.NoError(t, err)
	return change, o
}

func (p playground) asked() bool {
	return dkmsstate.Exists(filepath.Join(p.root, "run/reboot-required"))
}

func TestRebootIsHeldAndReleased(t *testing.T) {
	p, inv := heldMachine(t)
	change, o := settle(t, inv, booted)
	assert.Equal(t, rebootHeldNow, change)
	assert.False(t, p.asked())
	assert.Equal(t, &RebootHold{"6.2.0", []string{"alpha"}, "newest kernel"}, o.RebootHeld)

	p.write("run/reboot-required", "")
	change, _ = settle(t, inv, booted)
	assert.Equal(t, holdUnchanged, change, "another request is nothing new")
	assert.False(t, p.asked())

	p.write("lib/modules/6.2.0/updates/dkms/alpha.ko", "alpha")
	p.link("1.0/6.2.0/x86_64", "var/lib/dkms/alpha/kernel-6.2.0-x86_64")
	change, o = settle(t, inv, booted)
	assert.Equal(t, rebootReleased, change)
	assert.True(t, p.asked())
	assert.Nil(t, o.RebootHeld)

	events, err := History(inv, "")
	require.NoError(t, err)
	var did []string
	for _, e := range events {
		did = append(did, string(e.Kernel)+" "+e.Did+", "+e.Caller()+": "+e.Text)
	}
	assert.Equal(t, []string{
		"6.2.0 held, remind: alpha will not load on 6.2.0 (newest kernel), and /run/reboot-required is set aside",
		"6.2.0 released, remind: the reboot is no longer held: /run/reboot-required is back",
	}, did)
}

// What is held comes back when nothing demands it any more, and nothing is held in a doubt.
func TestRebootIsNotHeld(t *testing.T) {
	for name, change := range map[string]func(playground){
		"by default":   func(p playground) { p.write("etc/dkms-hooks.conf", "Required: alpha\n") },
		"no longer":    func(p playground) { p.write("etc/dkms-hooks.conf", "Required: alpha\nHold-Reboot: no\n") },
		"a mistake":    func(p playground) { p.write("etc/dkms-hooks.conf", "Required: alpha\nHold-Reboot: true\n") },
		"not required": func(p playground) { p.write("etc/dkms-hooks.conf", "Required: beta\nHold-Reboot: yes\n") },
		"ignored": func(p playground) {
			p.write("etc/dkms-hooks.conf", "Required: alpha\nIgnore: alpha@6.2*\nHold-Reboot: yes\n")
		},
		"the kernel has one": func(p playground) {
			p.write("lib/modules/6.2.0/kernel/alpha.ko", "own")
			p.write("lib/modules/6.2.0/modules.dep", "kernel/alpha.ko:\n")
		},
		"it is built in": func(p playground) { p.write("lib/modules/6.2.0/modules.builtin", "kernel/own.ko\nkernel/alpha.ko\n") },
		"no modules.dep": func(p playground) { p.write("lib/modules/6.2.0/modules.dep", "") },
		"another kernel is newest": func(p playground) {
			p.write("boot/vmlinuz-6.3.0", "")
			p.write("lib/modules/6.3.0/kernel/own.ko", "own")
			p.write("lib/modules/6.3.0/modules.dep", "kernel/own.ko:\n")
			p.write("lib/modules/6.3.0/updates/dkms/alpha.ko", "alpha")
			p.write("lib/modules/6.3.0/modules.dep", "updates/dkms/alpha.ko:\n")
		},
		"a loader is not supported": func(p playground) { p.write("etc/lilo.conf", "") },
		"unknown, and a file of an unknown build": func(p playground) {
			p.write("etc/dkms-hooks.conf", "Required: razer\nHold-Reboot: yes\n")
			p.write("lib/modules/6.2.0/updates/dkms/razerkbd.ko", "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, inv := heldMachine(t)
			_, _ = settle(t, inv, booted)
			require.False(t, p.asked())
			change(p)
			did, o := settle(t, inv, booted)
			assert.Equal(t, rebootReleased, did)
			assert.True(t, p.asked())
			assert.Nil(t, o.RebootHeld)
			did, _ = settle(t, inv, booted)
			assert.Equal(t, holdUnchanged, did)
			assert.True(t, p.asked())
		})
	}
}

// A required module that dkms does not know holds a reboot if the kernel has no file of it.
func TestUnknownModuleHoldsReboot(t *testing.T) {
	p, inv := heldMachine(t)
	p.write("etc/dkms-hooks.conf", "Required: gone\nHold-Reboot: yes\n")
	_, o := settle(t, inv, booted)
	assert.False(t, p.asked())
	assert.Equal(t, []string{"gone"}, o.RebootHeld.Modules)
}

// /run may be that of the host.
func TestOtherSystemsAreLeftAlone(t *testing.T) {
	p, inv := heldMachine(t)
	for _, where := range []origin{notBooted, originUnknown} {
		change, o := settle(t, inv, where)
		assert.Equal(t, holdUnchanged, change)
		assert.Nil(t, o.RebootHeld)
		assert.True(t, p.asked())
	}
	_, _ = settle(t, inv, booted)
	p.write("etc/dkms-hooks.conf", "")
	change, o := settle(t, inv, notBooted)
	assert.Equal(t, holdUnchanged, change)
	assert.Nil(t, o.RebootHeld)
	assert.False(t, p.asked())
	assert.Equal(t, StatusOK, ReleaseReboot(t.Context(), inv, os.Stderr))
	assert.False(t, RebootIsHeld(inv))
	assert.False(t, p.asked())
	change, _ = settle(t, inv, originUnknown)
	assert.Equal(t, rebootReleased, change, "the running kernel was removed meanwhile")
}

// While a run is at work on the kernel that boots next, nothing changes: its end decides.
func TestActiveRunChangesNoHold(t *testing.T) {
	p, inv := heldMachine(t)
	_, _ = settle(t, inv, booted)
	note := dkmsstate.UnfinishedNote{Why: dkmsstate.Interrupted, By: dkmsstate.ProcessMark(os.Getppid())}
	p.write("var/lib/dkms-hooks/unfinished/6.2.0", note.Text())
	change, o := settle(t, inv, booted)
	assert.Equal(t, holdUnchanged, change)
	assert.False(t, p.asked())
	assert.NotNil(t, o.RebootHeld)
	p.write("etc/dkms-hooks.conf", "Required: alpha\n")
	change, _ = settle(t, inv, booted)
	assert.Equal(t, rebootReleased, change, "without the field nothing is held")
	p.write("etc/dkms-hooks.conf", "Required: alpha\nHold-Reboot: yes\n")
	change, _ = settle(t, inv, booted)
	assert.Equal(t, holdUnchanged, change)
	require.NoError(t, os.Remove(filepath.Join(p.root, "var/lib/dkms-hooks/unfinished/6.2.0")))
	change, _ = settle(t, inv, booted)
	assert.Equal(t, rebootHeldNow, change)
}

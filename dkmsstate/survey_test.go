package dkmsstate_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/plan"
)

// Files that did not change since they were recorded are not read. Any change makes a file be
// read again.
func TestInstalledFilesAreKnownByTheRecord(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.AddInstalled(one)
	_, rec := f.Examine(fresh.Examine, dkmsstate.KernelRecord{})
	known := rec.Builds["one/1.0 "+dkmstest.Arch]
	require.NotEmpty(t, known.Installed)
	installed := f.Path(f.InstalledFile("one.ko"))
	copyOf := func(rec dkmsstate.KernelRecord) kmod.Copy {
		s, err := dkmsstate.ReadSnapshot(f.Layout, dkmstest.Kernel, dkmstest.Arch, rec)
		require.NoError(t, err)
		return s.Builds[0].Files[0].Copy
	}
	assert.Equal(t, kmod.CopySame, copyOf(rec))

	info, err := os.Stat(installed)
	require.NoError(t, err)
	data, err := os.ReadFile(installed)
	require.NoError(t, err)
	data[0] ^= 1
	time.Sleep(20 * time.Millisecond) // more than a tick of the kernel's clock
	require.NoError(t, os.WriteFile(installed, data, 0o644))
	require.NoError(t, os.Chtimes(installed, info.ModTime(), info.ModTime()))
	assert.Equal(t, kmod.CopyDamaged, copyOf(rec), "the same size and time, but changed")

	s, again := f.Examine(fresh.Examine, rec)
	assert.Empty(t, again.Builds["one/1.0 "+dkmstest.Arch].Installed, "what is damaged is not kept")
	known.Installed = s.Builds[0].Installed
	assert.Equal(t, kmod.CopySame, copyOf(dkmsstate.KernelRecord{Builds: map[string]dkmsstate.BuildRecord{"one/1.0 " + dkmstest.Arch: known}}), "what is kept is believed")
}

func TestModulesDepIsKnownByTheRecord(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.AddInstalled(one)
	s, rec := f.Examine(fresh.Examine, dkmsstate.KernelRecord{})
	assert.Equal(t, []string{"updates/dkms/one.ko"}, rec.Dep.Installed)
	assert.Empty(t, plan.DepmodReason(s))

	rec.Dep.Installed = []string{"updates/dkms/one.ko", "updates/dkms/other.ko"}
	kept, err := dkmsstate.ReadSnapshot(f.Layout, dkmstest.Kernel, dkmstest.Arch, rec)
	require.NoError(t, err)
	assert.Equal(t, "modules.dep names other.ko, which is gone", plan.DepmodReason(kept), "what is kept is believed")
	f.Write("lib/modules/6.1.0-test/modules.dep", "updates/dkms/one.ko: kernel/x.ko\nkernel/x.ko:\n")
	now, err := dkmsstate.ReadSnapshot(f.Layout, dkmstest.Kernel, dkmstest.Arch, rec)
	require.NoError(t, err)
	assert.Empty(t, plan.DepmodReason(now), "what has changed is read")
	f.Write("lib/modules/6.1.0-test/modules.dep.bin", "kernel/x.ko:")
	now, err = dkmsstate.ReadSnapshot(f.Layout, dkmstest.Kernel, dkmstest.Arch, rec)
	require.NoError(t, err)
	assert.Equal(t, "modules.dep does not name one.ko", plan.DepmodReason(now), "modprobe would not find it")
}

// The snapshots of one survey are the same as those that are read for each kernel.
func TestOneSurveyServesAllKernels(t *testing.T) {
	f, one, two := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}, dkmsstate.Module{Name: "two", Version: "2.0"}
	f.Register(one, "")
	f.Register(two, "BUILD_DEPENDS=one\n")
	f.AddInstalled(one)
	f.Write("var/lib/dkms/two/2.0/6.2.0-other/"+dkmstest.Arch+"/module/two.ko", dkmstest.BuiltOf(two))
	f.Link("2.0/6.2.0-other/"+dkmstest.Arch, "var/lib/dkms/two/kernel-6.2.0-other-"+dkmstest.Arch)
	f.Write("etc/dkms/two-2.0-6.2.0-other.conf", "AUTOINSTALL=\n")
	f.Write("lib/modules/6.2.0-other/modules.order", "")
	survey, err := f.Layout.Survey()
	require.NoError(t, err)
	for _, kernel := range []dkmsstate.Release{dkmstest.Kernel, "6.2.0-other"} {
		alone, err := dkmsstate.ReadSnapshot(f.Layout, kernel, dkmstest.Arch, dkmsstate.KernelRecord{})
		require.NoError(t, err)
		shared := survey.Snapshot(kernel, dkmstest.Arch, dkmsstate.KernelRecord{})
		assert.Equal(t, alone.Registrations, shared.Registrations)
		assert.Equal(t, alone.Builds, shared.Builds)
		assert.Equal(t, alone.Links, shared.Links)
		assert.Len(t, shared.Builds, 1)
		r, _ := shared.Registration(two)
		assert.Equal(t, kernel == dkmstest.Kernel, r.Conf.Autoinstall, "an override is its kernel's own")
	}
}

// A file that somebody put beside the builds is not a leftover of an interrupted run.
func TestAStrayFileIsNoRemains(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.Write("var/lib/dkms/one/1.0/6.1.0-test/note", "mine")
	assert.Empty(t, f.Snapshot().LeftoversOf)
	f.Remove("var/lib/dkms/one/1.0/6.1.0-test/note")
	assert.Equal(t, []dkmsstate.Module{one}, f.Snapshot().LeftoversOf, "an empty directory is")
}

// A module that waits for headers is tried again when they are there and are others than before.
func TestHeadersCame(t *testing.T) {
	f, late := dkmstest.New(t), dkmsstate.Module{Name: "late", Version: "1.0"}
	f.Register(late, "")
	came := func(result dkmsstate.LastResult, inputs string) bool {
		rec := dkmsstate.KernelRecord{Last: map[string]dkmsstate.Last{late.String(): {Result: result, Inputs: inputs}}}
		return rec.HeadersCame(f.Layout, dkmstest.Kernel)
	}
	inputs := func() string {
		s, err := dkmsstate.ReadSnapshot(f.Layout, dkmstest.Kernel, dkmstest.Arch, dkmsstate.KernelRecord{})
		require.NoError(t, err)
		return s.Inputs(late.String())
	}
	before := inputs()
	assert.False(t, came(dkmsstate.LastWaiting, before), "they are the same, and nothing has changed")
	f.Write("lib/modules/"+string(dkmstest.Kernel)+"/build/include/config/auto.conf", "CONFIG_GCC_VERSION=120000\n")
	assert.True(t, came(dkmsstate.LastWaiting, before))
	assert.False(t, came(dkmsstate.LastFailed, before), "for a failure other packages count")
	assert.False(t, came(dkmsstate.LastWaiting, inputs()), "they were tried")
	require.NoError(t, os.RemoveAll(f.Path("lib/modules/"+string(dkmstest.Kernel)+"/build/include")))
	assert.False(t, came(dkmsstate.LastWaiting, before), "they are gone")
}

package dkmsstate

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod"
)

// What the record knows to be the same is not read, and whatever changes a file makes
// it be read again.
func TestInstalledFilesAreKnownByTheRecord(t *testing.T) {
	f, one := fabricate(t), Module{"one", "1.0"}
	f.register(one, "")
	f.install(one)
	_, rec := f.examine(KernelRecord{})
	known := rec.Builds["one/1.0 "+testArch]
	require.NotEmpty(t, known.Installed)
	installed := f.path(f.installedFile("one.ko"))
	copyOf := func(rec KernelRecord) kmod.Copy {
		s, err := ReadSnapshot(f.layout, testKernel, testArch, rec)
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

	s, again := f.examine(rec)
	assert.Empty(t, again.Builds["one/1.0 "+testArch].Installed, "what is damaged is not kept")
	known.Installed = s.Builds[0].installed
	assert.Equal(t, kmod.CopySame, copyOf(KernelRecord{Builds: map[string]BuildRecord{"one/1.0 " + testArch: known}}), "what is kept is believed")
}

func TestModulesDepIsKnownByTheRecord(t *testing.T) {
	f, one := fabricate(t), Module{"one", "1.0"}
	f.register(one, "")
	f.install(one)
	s, rec := f.examine(KernelRecord{})
	assert.Equal(t, []string{"one.ko"}, rec.Dep.Installed)
	assert.Empty(t, s.depmodReason())

	rec.Dep.Installed = []string{"one.ko", "other.ko"}
	kept, err := ReadSnapshot(f.layout, testKernel, testArch, rec)
	require.NoError(t, err)
	assert.Equal(t, "modules.dep names other.ko, which is gone", kept.depmodReason(), "what is kept is believed")
	f.write("lib/modules/6.1.0-test/modules.dep", "updates/dkms/one.ko: kernel/x.ko\nkernel/x.ko:\n")
	now, err := ReadSnapshot(f.layout, testKernel, testArch, rec)
	require.NoError(t, err)
	assert.Empty(t, now.depmodReason(), "what has changed is read")
	f.write("lib/modules/6.1.0-test/modules.dep.bin", "kernel/x.ko:")
	now, err = ReadSnapshot(f.layout, testKernel, testArch, rec)
	require.NoError(t, err)
	assert.Equal(t, "modules.dep does not name one.ko", now.depmodReason(), "modprobe would not find it")
}

func TestInstalledIn(t *testing.T) {
	text := "updates/dkms/first.ko: kernel/a.ko\nkernel/updates/dkms/no.ko:\nupdates/dkms/b.ko.xz:\nupdates/dkms/cut"
	assert.Equal(t, []string{"first.ko", "b.ko.xz"}, installedIn([]byte(text), "\n"))
	assert.Equal(t, []string{"first.ko", "no.ko", "b.ko.xz"}, installedIn([]byte(text), ""), "an index has no lines")
	assert.Empty(t, installedIn(nil, "\n"))
	assert.Empty(t, installedIn([]byte("updates/dkms/"), "\n"))
}

// The snapshots of one survey are those that a look at each kernel gives.
func TestOneSurveyServesAllKernels(t *testing.T) {
	f, one, two := fabricate(t), Module{"one", "1.0"}, Module{"two", "2.0"}
	f.register(one, "")
	f.register(two, "BUILD_DEPENDS=one\n")
	f.install(one)
	f.write("var/lib/dkms/two/2.0/6.2.0-other/"+testArch+"/module/two.ko", builtOf(two))
	f.link("2.0/6.2.0-other/"+testArch, "var/lib/dkms/two/kernel-6.2.0-other-"+testArch)
	f.write("etc/dkms/two-2.0-6.2.0-other.conf", "AUTOINSTALL=\n")
	f.write("lib/modules/6.2.0-other/modules.order", "")
	survey, err := f.layout.Survey()
	require.NoError(t, err)
	for _, kernel := range []Release{testKernel, "6.2.0-other"} {
		alone, err := ReadSnapshot(f.layout, kernel, testArch, KernelRecord{})
		require.NoError(t, err)
		shared := survey.Snapshot(kernel, testArch, KernelRecord{})
		assert.Equal(t, alone.Registrations, shared.Registrations)
		assert.Equal(t, alone.Builds, shared.Builds)
		assert.Equal(t, alone.Links, shared.Links)
		assert.Len(t, shared.Builds, 1)
		r, _ := shared.Registration(two)
		assert.Equal(t, kernel == testKernel, r.Conf.Autoinstall, "an override is its kernel's own")
	}
}

// A file that somebody put beside the builds is no remains of an interrupted run.
func TestAStrayFileIsNoRemains(t *testing.T) {
	f, one := fabricate(t), Module{"one", "1.0"}
	f.register(one, "")
	f.write("var/lib/dkms/one/1.0/6.1.0-test/note", "mine")
	assert.Empty(t, f.snapshot().LeftoversOf)
	f.remove("var/lib/dkms/one/1.0/6.1.0-test/note")
	assert.Equal(t, []Module{one}, f.snapshot().LeftoversOf, "an empty directory is")
}

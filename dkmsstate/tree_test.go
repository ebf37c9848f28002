package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnbuildLeavesWhatWasThereBeforeTheBuild(t *testing.T) {
	m := Module{"m", "1.0"}
	f := fabricate(t)
	f.register(m, "")
	f.depmod()
	before := f.listing()
	f.install(m)
	f.write("var/lib/dkms/m/1.0/6.1.0-test/aarch64/module/m.ko", "for another")
	f.write("var/lib/dkms/m/1.0/6.1.0-test/.tmp_x86_64_abc/module/m.ko", "cut off")
	f.write(f.installedFile(".m.ko.dkms-hooks"), "cut off")

	p := PlanUnbuild(f.snapshot())
	require.Len(t, p.Tasks, 1)
	tree := Tree{Layout: f.layout, Kernel: testKernel}
	require.NoError(t, tree.Unbuild(m))
	tree.RemoveEmptyDirs()
	f.depmod()
	assert.Equal(t, before, f.listing())
	assert.Empty(t, PlanUnbuild(f.snapshot()).Tasks, "a second run finds nothing")
}

// Every prefix of an unbuild must be a state that the next run finishes.
func TestUnbuildIsFinishedFromEveryPointWhereItWasCutOff(t *testing.T) {
	m := Module{"m", "1.0"}
	cuts := map[string]func(f fabricated){
		"installed files gone": func(f fabricated) { f.remove(f.installedFile("m.ko")) },
		"link gone": func(f fabricated) {
			f.remove(f.installedFile("m.ko"))
			f.remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
		},
		"renamed": func(f fabricated) {
			f.remove(f.installedFile("m.ko"))
			f.remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
			require.NoError(f.t, os.Rename(f.path("var/lib/dkms/m/1.0/6.1.0-test"), f.path("var/lib/dkms/m/1.0/.unbuild-6.1.0-test")))
		},
		"half removed": func(f fabricated) {
			f.remove(f.installedFile("m.ko"))
			f.remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
			f.removeAll("var/lib/dkms/m/1.0/6.1.0-test/x86_64")
			require.NoError(f.t, os.Rename(f.path("var/lib/dkms/m/1.0/6.1.0-test"), f.path("var/lib/dkms/m/1.0/.unbuild-6.1.0-test")))
		},
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(m, "")
			f.depmod()
			want := f.listing()
			f.install(m)
			cut(f)
			for _, task := range PlanUnbuild(f.snapshot()).Tasks {
				require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(task.Module))
			}
			Tree{Layout: f.layout, Kernel: testKernel}.RemoveEmptyDirs()
			f.depmod()
			assert.Equal(t, want, f.listing())
		})
	}
}

func TestUnbuildOfOneVersionKeepsTheOthersFiles(t *testing.T) {
	old, latest := Module{"m", "1.0"}, Module{"m", "2.0"}
	f := fabricate(t)
	f.register(old, "")
	f.register(latest, "")
	f.build(old)
	f.install(latest)
	require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(old))
	assert.FileExists(t, f.path(f.installedFile("m.ko")))
	assert.Empty(t, PlanAutoinstall(f.snapshot(), Goal{}).Tasks)
}

// No link may lead the removal out of the trees.
func TestUnbuildFollowsNoLink(t *testing.T) {
	m := Module{"m", "1.0"}
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.MkdirAll(filepath.Join(outside, "x86_64", "module"), 0o755))
	keep := filepath.Join(outside, "x86_64", "module", "m.ko")
	require.NoError(t, os.WriteFile(keep, []byte("not ours"), 0o644))

	t.Run("the build directory is a link", func(t *testing.T) {
		f := fabricate(t)
		f.register(m, "")
		f.link(outside, "var/lib/dkms/m/1.0/6.1.0-test")
		_ = Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(m)
		assert.FileExists(t, keep)
	})
	t.Run("the install directory is a link", func(t *testing.T) {
		f := fabricate(t)
		f.register(m, "")
		f.build(m)
		f.link(linkTarget(m, testKernel, testArch), "var/lib/dkms/m/"+linkName(testKernel, testArch))
		f.link(filepath.Join(outside, "x86_64", "module"), "lib/modules/6.1.0-test/updates/dkms")
		require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(m), "inside of the root nothing has that name")
		assert.FileExists(t, keep)
		f.build(m)
		assert.Error(t, Tree{Layout: f.layout, Kernel: testKernel}.Restore(m, testArch, true))
		data, err := os.ReadFile(keep)
		require.NoError(t, err)
		assert.Equal(t, "not ours", string(data))
	})
	t.Run("the module directory is a link", func(t *testing.T) {
		f := fabricate(t)
		f.link(outside, "var/lib/dkms/m")
		assert.Error(t, Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(m))
		assert.FileExists(t, keep)
	})
}

func TestRestoreMakesTheInstalledFileTheBuiltOne(t *testing.T) {
	m := Module{"m", "1.0"}
	for name, given := range map[string]func(f fabricated){
		"gone":        func(f fabricated) { f.removeAll("lib/modules/6.1.0-test/updates") },
		"differs":     func(f fabricated) { f.write(f.installedFile("m.ko"), "") },
		"a dead link": func(f fabricated) { f.remove(f.installedFile("m.ko")); f.link("/nowhere", f.installedFile("m.ko")) },
		"no link":     func(f fabricated) { f.remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64") },
		"wrong link": func(f fabricated) {
			f.remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
			f.link("nowhere", "var/lib/dkms/m/kernel-6.1.0-test-x86_64")
		},
		"left a temp": func(f fabricated) {
			f.write(f.installedFile(".m.ko.dkms-hooks"), "half")
			f.remove(f.installedFile("m.ko"))
		},
		"all in order": func(f fabricated) {},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(m, "")
			f.install(m)
			want := f.listing()
			given(f)
			require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Restore(m, testArch, true))
			assert.Equal(t, want, f.listing())
		})
	}
}

func TestClearRefusesABuild(t *testing.T) {
	m := Module{"m", "1.0"}
	f := fabricate(t)
	f.register(m, "")
	f.build(m)
	assert.Error(t, Tree{Layout: f.layout, Kernel: testKernel}.Clear(m, testArch))
	f.remove(f.buildFile(m))
	require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Clear(m, testArch))
	assert.NoDirExists(t, f.path("var/lib/dkms/m/1.0/6.1.0-test/x86_64"))
}

func TestArchivedModulesOfTheKernelComeBack(t *testing.T) {
	m := Module{"m", "1.0"}
	f := fabricate(t)
	f.register(m, "")
	f.install(m)
	f.write("lib/modules/6.1.0-test/kernel/drivers/other.ko", "")
	archive := "var/lib/dkms/m/original_module/6.1.0-test/x86_64/m.ko"
	f.write(archive, "the kernel's")
	f.write(archive+".origin", "/lib/modules/6.1.0-test/kernel/drivers/m.ko\n")
	assert.Equal(t, OpDKMSUnbuild, PlanUnbuild(f.snapshot()).Tasks[0].Steps[0].Op, "dkms is asked first")
	require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(m))
	data, err := os.ReadFile(f.path("lib/modules/6.1.0-test/kernel/drivers/m.ko"))
	require.NoError(t, err)
	assert.Equal(t, "the kernel's", string(data))
	assert.NoDirExists(t, f.path("var/lib/dkms/m/original_module"))
}

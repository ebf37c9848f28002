package apply

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/plan"
)

func TestUnbuildLeavesWhatWasThereBeforeTheBuild(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	f := dkmstest.New(t)
	f.Register(m, "")
	f.Depmod()
	before := f.Listing()
	f.AddInstalled(m)
	f.Write("var/lib/dkms/m/1.0/6.1.0-test/aarch64/module/m.ko", "for another")
	f.Write("var/lib/dkms/m/1.0/6.1.0-test/.tmp_x86_64_abc/module/m.ko", "cut off")
	f.Write(f.InstalledFile(".m.ko.dkms-hooks"), "cut off")

	p := plan.Unbuild(f.Snapshot())
	require.Len(t, p.Tasks, 1)
	tree := Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}
	require.NoError(t, tree.Unbuild(m))
	tree.RemoveEmptyDirs([]string{dkmsstate.InstalledUnder})
	f.Depmod()
	assert.Equal(t, before, f.Listing())
	assert.Empty(t, plan.Unbuild(f.Snapshot()).Tasks, "a second run finds nothing")
}

// Every prefix of an unbuild must be a state that the next run finishes.
func TestUnbuildIsFinishedFromEveryPointWhereItWasCutOff(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	cuts := map[string]func(f dkmstest.Root){
		"installed files gone": func(f dkmstest.Root) { f.Remove(f.InstalledFile("m.ko")) },
		"link gone": func(f dkmstest.Root) {
			f.Remove(f.InstalledFile("m.ko"))
			f.Remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
		},
		"renamed": func(f dkmstest.Root) {
			f.Remove(f.InstalledFile("m.ko"))
			f.Remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
			require.NoError(f.T, os.Rename(f.Path("var/lib/dkms/m/1.0/6.1.0-test"), f.Path("var/lib/dkms/m/1.0/.unbuild-6.1.0-test")))
		},
		"half removed": func(f dkmstest.Root) {
			f.Remove(f.InstalledFile("m.ko"))
			f.Remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
			f.RemoveAll("var/lib/dkms/m/1.0/6.1.0-test/x86_64")
			require.NoError(f.T, os.Rename(f.Path("var/lib/dkms/m/1.0/6.1.0-test"), f.Path("var/lib/dkms/m/1.0/.unbuild-6.1.0-test")))
		},
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(m, "")
			f.Depmod()
			want := f.Listing()
			f.AddInstalled(m)
			cut(f)
			for _, task := range plan.Unbuild(f.Snapshot()).Tasks {
				require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(task.Module))
			}
			Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.RemoveEmptyDirs([]string{dkmsstate.InstalledUnder})
			f.Depmod()
			assert.Equal(t, want, f.Listing())
		})
	}
}

func TestUnbuildOfOneVersionKeepsTheOthersFiles(t *testing.T) {
	old, latest := dkmsstate.Module{Name: "m", Version: "1.0"}, dkmsstate.Module{Name: "m", Version: "2.0"}
	f := dkmstest.New(t)
	f.Register(old, "")
	f.Register(latest, "")
	f.AddBuild(old)
	f.AddInstalled(latest)
	require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(old))
	assert.FileExists(t, f.Path(f.InstalledFile("m.ko")))
	assert.Empty(t, plan.Autoinstall(f.Snapshot(), plan.Goal{}).Tasks)
}

// No link may lead the removal out of the trees.
func TestUnbuildFollowsNoLink(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.MkdirAll(filepath.Join(outside, "x86_64", "module"), 0o755))
	keep := filepath.Join(outside, "x86_64", "module", "m.ko")
	require.NoError(t, os.WriteFile(keep, []byte("not ours"), 0o644))

	t.Run("the build directory is a link", func(t *testing.T) {
		f := dkmstest.New(t)
		f.Register(m, "")
		f.Link(outside, "var/lib/dkms/m/1.0/6.1.0-test")
		_ = Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(m)
		assert.FileExists(t, keep)
	})
	t.Run("the install directory is a link", func(t *testing.T) {
		f := dkmstest.New(t)
		f.Register(m, "")
		f.AddBuild(m)
		f.Link(dkmsstate.LinkTarget(m, dkmstest.Kernel, dkmstest.Arch), "var/lib/dkms/m/"+dkmsstate.LinkName(dkmstest.Kernel, dkmstest.Arch))
		f.Link(filepath.Join(outside, "x86_64", "module"), "lib/modules/6.1.0-test/updates/dkms")
		require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(m), "inside of the root nothing has that name")
		assert.FileExists(t, keep)
		f.AddBuild(m)
		assert.Error(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Restore(m, dkmstest.Arch, true))
		data, err := os.ReadFile(keep)
		require.NoError(t, err)
		assert.Equal(t, "not ours", string(data))
	})
	t.Run("the module directory is a link", func(t *testing.T) {
		f := dkmstest.New(t)
		f.Link(outside, "var/lib/dkms/m")
		assert.Error(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(m))
		assert.FileExists(t, keep)
	})
}

func TestRestoreMakesTheInstalledFileTheBuiltOne(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	for name, given := range map[string]func(f dkmstest.Root){
		"gone":        func(f dkmstest.Root) { f.RemoveAll("lib/modules/6.1.0-test/updates") },
		"differs":     func(f dkmstest.Root) { f.Write(f.InstalledFile("m.ko"), "") },
		"a dead link": func(f dkmstest.Root) { f.Remove(f.InstalledFile("m.ko")); f.Link("/nowhere", f.InstalledFile("m.ko")) },
		"no link":     func(f dkmstest.Root) { f.Remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64") },
		"wrong link": func(f dkmstest.Root) {
			f.Remove("var/lib/dkms/m/kernel-6.1.0-test-x86_64")
			f.Link("nowhere", "var/lib/dkms/m/kernel-6.1.0-test-x86_64")
		},
		"left a temp": func(f dkmstest.Root) {
			f.Write(f.InstalledFile(".m.ko.dkms-hooks"), "half")
			f.Remove(f.InstalledFile("m.ko"))
		},
		"all in order": func(f dkmstest.Root) {},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(m, "")
			f.AddInstalled(m)
			want := f.Listing()
			given(f)
			require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Restore(m, dkmstest.Arch, true))
			assert.Equal(t, want, f.Listing())
		})
	}
}

func TestClearRefusesABuild(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	f := dkmstest.New(t)
	f.Register(m, "")
	f.AddBuild(m)
	assert.Error(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.clearBuild(m, dkmstest.Arch))
	f.Remove(f.BuildFile(m))
	require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.clearBuild(m, dkmstest.Arch))
	assert.NoDirExists(t, f.Path("var/lib/dkms/m/1.0/6.1.0-test/x86_64"))
}

func TestArchivedModulesOfTheKernelComeBack(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	f := dkmstest.New(t)
	f.Register(m, "")
	f.AddInstalled(m)
	f.Write("lib/modules/6.1.0-test/kernel/drivers/other.ko", "")
	archive := "var/lib/dkms/m/original_module/6.1.0-test/x86_64/m.ko"
	f.Write(archive, "the kernel's")
	f.Write(archive+".origin", "/lib/modules/6.1.0-test/kernel/drivers/m.ko\n")
	assert.Equal(t, plan.OpDKMSUnbuild, plan.Unbuild(f.Snapshot()).Tasks[0].Steps[0].Op, "dkms is asked first")
	require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(m))
	data, err := os.ReadFile(f.Path("lib/modules/6.1.0-test/kernel/drivers/m.ko"))
	require.NoError(t, err)
	assert.Equal(t, "the kernel's", string(data))
	assert.NoDirExists(t, f.Path("var/lib/dkms/m/original_module"))
}

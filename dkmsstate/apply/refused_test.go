package apply

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// refusal is a filesystem that refuses a call for some entries.
type refusal struct {
	name string
	call string
	of   func(path string) bool
}

func anyEntry(string) bool { return true }

func isDirectory(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// refusals are the calls that some filesystems do not support. On overlayfs a directory of a
// lower layer cannot be renamed, but one that was created since can. Some of FUSE rename
// nothing. vfat and 9p have no hard links.
func refusals() []refusal {
	return []refusal{
		{"rename of a directory", "rename", isDirectory},
		{"rename of a build", "rename", func(path string) bool { return filepath.Base(path) == string(dkmstest.Kernel) }},
		{"rename of a file", "rename", func(path string) bool { return !isDirectory(path) }},
		{"rename", "rename", anyEntry},
		{"link", "link", anyEntry},
		{"statfs", "statfs", anyEntry},
		{"link and rename", "", anyEntry},
	}
}

// in makes the filesystem of a root refuse the call, and fsync(2) as well, which would take
// most of the time.
func (r refusal) in(f *dkmstest.Root, errno unix.Errno) {
	f.Layout.Refuse = func(call, path string) error {
		refused := call == r.call || call == "fsync" || r.call == "" && (call == "link" || call == "rename")
		if refused && r.of(path) {
			return errno
		}
		return nil
	}
}

// Whatever a filesystem refuses, each operation has the same result as where nothing is
// refused.
func TestNoOperationNeedsACallThatAFilesystemMayRefuse(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	tree := func(f dkmstest.Root) Tree { return Tree{Layout: f.Layout, Kernel: dkmstest.Kernel} }
	spare := func(f dkmstest.Root) Tree { return Tree{Layout: f.Layout, Kernel: dkmstest.Kernel, Backup: true} }
	for name, do := range map[string]func(f dkmstest.Root){
		"unbuild": func(f dkmstest.Root) { require.NoError(f.T, tree(f).Unbuild(one)) },
		"restore": func(f dkmstest.Root) {
			f.Write(f.InstalledFile("one.ko"), "")
			f.Remove("var/lib/dkms/one/" + dkmsstate.LinkName(dkmstest.Kernel, dkmstest.Arch))
			require.NoError(f.T, tree(f).Restore(one, dkmstest.Arch, true))
		},
		"a removal that is aborted": func(f dkmstest.Root) {
			require.NoError(f.T, spare(f).Unbuild(one))
			assert.Empty(f.T, f.Snapshot().Builds)
			n, err := tree(f).RestoreBackups()
			require.NoError(f.T, err)
			assert.Equal(f.T, 1, n)
			require.NoError(f.T, tree(f).Restore(one, dkmstest.Arch, true))
		},
		"a removal by dkms that is aborted": func(f dkmstest.Root) {
			require.NoError(f.T, spare(f).linkBackup(one))
			require.NoError(f.T, tree(f).removeBuildsOf(one))
			require.NoError(f.T, spare(f).Unbuild(one))
			_, err := tree(f).RestoreBackups()
			require.NoError(f.T, err)
			require.NoError(f.T, tree(f).Restore(one, dkmstest.Arch, true))
		},
		"a removal that is not": func(f dkmstest.Root) {
			require.NoError(f.T, spare(f).Unbuild(one))
			require.NoError(f.T, tree(f).DiscardBackups())
		},
		"a replacement that is undone": func(f dkmstest.Root) {
			require.NoError(f.T, tree(f).keepPrevious(one))
			f.Write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko", "half")
			n, err := tree(f).RollBack()
			require.NoError(f.T, err)
			assert.Equal(f.T, 1, n)
		},
		"a replacement": func(f dkmstest.Root) {
			require.NoError(f.T, tree(f).keepPrevious(one))
			f.AddBuild(one)
			require.NoError(f.T, tree(f).dropPrevious(one))
		},
		"depmod": func(f dkmstest.Root) {
			e := &scripted{Root: f}
			require.NoError(f.T, Machine{Layout: f.Layout, Engine: e}.depmod(context.Background(), dkmstest.Kernel))
		},
		"depmod that fails": func(f dkmstest.Root) {
			e := failingDepmod{&scripted{Root: f}}
			assert.ErrorContains(f.T, Machine{Layout: f.Layout, Engine: e}.depmod(context.Background(), dkmstest.Kernel), "no space")
		},
		"the record": func(f dkmstest.Root) {
			require.NoError(f.T, record.Write(f.Layout, dkmsstate.Record{Version: dkmsstate.RecordVersion}))
		},
		"a note": func(f dkmstest.Root) {
			require.NoError(f.T, record.NoteUnfinished(f.Layout, dkmstest.Kernel, dkmsstate.Interrupted, false))
		},
	} {
		end := func(t *testing.T, refuse func(f *dkmstest.Root)) map[string]string {
			f := dkmstest.New(t)
			f.Register(one, "")
			f.AddInstalled(one)
			refuse(&f)
			do(f)
			return f.Listing()
		}
		want := end(t, func(*dkmstest.Root) {})
		for _, r := range refusals() {
			for _, errno := range []unix.Errno{unix.EPERM, unix.EXDEV} {
				t.Run(strings.Join([]string{name, r.name, errno.Error()}, "/"), func(t *testing.T) {
					assert.Equal(t, want, end(t, func(f *dkmstest.Root) { r.in(f, errno) }))
				})
			}
		}
	}
}

// If nothing can be renamed and a run is interrupted before any of its calls, the next run
// restores the build as it was.
func TestARunWithoutRenamesCanBeCutOffAnywhere(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	errCutOff := errors.New("killed")
	work := map[string]func(tree Tree) error{
		"a removal that is aborted": func(tree Tree) error {
			tree.Backup = true
			return tree.Unbuild(one)
		},
		"and given back": func(tree Tree) error {
			tree.Backup = true
			if err := tree.Unbuild(one); err != nil {
				return err
			}
			_, err := tree.RestoreBackups()
			return err
		},
		"a replacement that is undone": func(tree Tree) error {
			if err := tree.keepPrevious(one); err != nil {
				return err
			}
			_, err := tree.RollBack()
			return err
		},
	}
	for name, do := range work {
		for _, r := range refusals() {
			if r.call == "link" || r.call == "statfs" {
				continue // the same calls as where nothing is refused
			}
			t.Run(name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				for n, cut := 1, true; cut; n++ {
					f := dkmstest.New(t)
					f.Register(one, "")
					f.AddInstalled(one)
					want := f.Listing()
					r.in(&f, unix.EXDEV)
					refuse, calls := f.Layout.Refuse, 0
					f.Layout.Refuse = func(call, path string) error {
						if slices.Contains([]string{"rename", "link", "unlink", "mkdir", "create"}, call) {
							calls++
						}
						if calls >= n {
							return errCutOff
						}
						return refuse(call, path)
					}
					cut = do(Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}) != nil || calls >= n
					f.Layout.Refuse = refuse
					settle(f)
					for _, task := range plan.Autoinstall(f.Snapshot(), plan.Goal{}).Tasks {
						require.False(t, task.Builds(), "the build is lost, cut off before call %d", n)
					}
					heals(t, f)
					require.Equal(t, want, f.Listing(), "cut off before call %d", n)
				}
			})
		}
	}
}

// settle does what a run does first: it restores what was set aside.
func settle(f dkmstest.Root) {
	f.T.Helper()
	tree := Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}
	_, err := tree.RollBack()
	require.NoError(f.T, err)
	_, err = tree.RestoreBackups()
	require.NoError(f.T, err)
}

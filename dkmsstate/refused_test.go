package dkmsstate

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
)

// refusal is a filesystem that refuses a call, for some of the entries.
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

// refusals are the calls that some filesystems do not have: a directory of a lower layer
// cannot be renamed on overlayfs, one that was made since can; some of FUSE rename
// nothing; vfat and 9p have no second names.
func refusals() []refusal {
	return []refusal{
		{"rename of a directory", "rename", isDirectory},
		{"rename of a build", "rename", func(path string) bool { return filepath.Base(path) == string(testKernel) }},
		{"rename of a file", "rename", func(path string) bool { return !isDirectory(path) }},
		{"rename", "rename", anyEntry},
		{"link", "link", anyEntry},
		{"statfs", "statfs", anyEntry},
		{"link and rename", "", anyEntry},
	}
}

// in lets the filesystem of a root refuse the call, and fsync(2) with it, which would take
// most of the time.
func (r refusal) in(f *fabricated, errno unix.Errno) {
	f.layout.refuse = func(call, path string) error {
		refused := call == r.call || call == "fsync" || r.call == "" && (call == "link" || call == "rename")
		if refused && r.of(path) {
			return errno
		}
		return nil
	}
}

// Whatever a filesystem refuses, each operation ends as it does where nothing is refused.
func TestNoOperationNeedsACallThatAFilesystemMayRefuse(t *testing.T) {
	one := Module{"one", "1.0"}
	tree := func(f fabricated) Tree { return Tree{Layout: f.layout, Kernel: testKernel} }
	spare := func(f fabricated) Tree { return Tree{Layout: f.layout, Kernel: testKernel, Backup: true} }
	for name, do := range map[string]func(f fabricated){
		"unbuild": func(f fabricated) { require.NoError(f.t, tree(f).Unbuild(one)) },
		"restore": func(f fabricated) {
			f.write(f.installedFile("one.ko"), "")
			f.remove("var/lib/dkms/one/" + linkName(testKernel, testArch))
			require.NoError(f.t, tree(f).Restore(one, testArch, true))
		},
		"a removal that is aborted": func(f fabricated) {
			require.NoError(f.t, spare(f).Unbuild(one))
			assert.Empty(f.t, f.snapshot().Builds)
			n, err := tree(f).RestoreBackups()
			require.NoError(f.t, err)
			assert.Equal(f.t, 1, n)
			require.NoError(f.t, tree(f).Restore(one, testArch, true))
		},
		"a removal by dkms that is aborted": func(f fabricated) {
			require.NoError(f.t, spare(f).linkBackup(one))
			require.NoError(f.t, tree(f).removeBuildsOf(one))
			require.NoError(f.t, spare(f).Unbuild(one))
			_, err := tree(f).RestoreBackups()
			require.NoError(f.t, err)
			require.NoError(f.t, tree(f).Restore(one, testArch, true))
		},
		"a removal that is not": func(f fabricated) {
			require.NoError(f.t, spare(f).Unbuild(one))
			require.NoError(f.t, tree(f).DiscardBackups())
		},
		"a replacement that is undone": func(f fabricated) {
			require.NoError(f.t, tree(f).keepPrevious(one))
			f.write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko", "half")
			n, err := tree(f).RollBack()
			require.NoError(f.t, err)
			assert.Equal(f.t, 1, n)
		},
		"a replacement": func(f fabricated) {
			require.NoError(f.t, tree(f).keepPrevious(one))
			f.build(one)
			require.NoError(f.t, tree(f).dropPrevious(one))
		},
		"depmod": func(f fabricated) {
			e := &scripted{fabricated: f}
			require.NoError(f.t, Machine{Layout: f.layout, Engine: e}.depmod(context.Background(), testKernel))
		},
		"depmod that fails": func(f fabricated) {
			e := failingDepmod{&scripted{fabricated: f}}
			assert.ErrorContains(f.t, Machine{Layout: f.layout, Engine: e}.depmod(context.Background(), testKernel), "no space")
		},
		"the record": func(f fabricated) { require.NoError(f.t, f.layout.WriteRecord(Record{Version: recordVersion})) },
		"a note":     func(f fabricated) { require.NoError(f.t, f.layout.NoteUnfinished(testKernel, Interrupted, false)) },
	} {
		end := func(t *testing.T, refuse func(f *fabricated)) map[string]string {
			f := fabricate(t)
			f.register(one, "")
			f.install(one)
			refuse(&f)
			do(f)
			return f.listing()
		}
		want := end(t, func(*fabricated) {})
		for _, r := range refusals() {
			for _, errno := range []unix.Errno{unix.EPERM, unix.EXDEV} {
				t.Run(strings.Join([]string{name, r.name, errno.Error()}, "/"), func(t *testing.T) {
					assert.Equal(t, want, end(t, func(f *fabricated) { r.in(f, errno) }))
				})
			}
		}
	}
}

// Where nothing can be renamed, a run that is cut off before any of its calls leaves
// what the next one makes whole: the build is there in the end, as it was.
func TestARunWithoutRenamesCanBeCutOffAnywhere(t *testing.T) {
	one := Module{"one", "1.0"}
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
					f := fabricate(t)
					f.register(one, "")
					f.install(one)
					want := f.listing()
					r.in(&f, unix.EXDEV)
					refuse, calls := f.layout.refuse, 0
					f.layout.refuse = func(call, path string) error {
						if slices.Contains([]string{"rename", "link", "unlink", "mkdir", "create"}, call) {
							calls++
						}
						if calls >= n {
							return errCutOff
						}
						return refuse(call, path)
					}
					cut = do(Tree{Layout: f.layout, Kernel: testKernel}) != nil || calls >= n
					f.layout.refuse = refuse
					f.settle()
					for _, task := range PlanAutoinstall(f.snapshot(), Goal{}).Tasks {
						require.False(t, task.Builds(), "the build is lost, cut off before call %d", n)
					}
					heals(t, f)
					require.Equal(t, want, f.listing(), "cut off before call %d", n)
				}
			})
		}
	}
}

// settle does what a run does first: it brings back what was set aside.
func (f fabricated) settle() {
	f.t.Helper()
	tree := Tree{Layout: f.layout, Kernel: testKernel}
	_, err := tree.RollBack()
	require.NoError(f.t, err)
	_, err = tree.RestoreBackups()
	require.NoError(f.t, err)
}

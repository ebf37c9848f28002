package dkmstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/record"
)

// Kernel and Arch are the kernel and the architecture of every Root.
const (
	Kernel = dkmsstate.Release("6.1.0-test")
	Arch   = "x86_64"
)

// Magic is the vermagic of the modules in a Root.
const Magic = string(Kernel) + " SMP preempt mod_unload modversions "

// Root is a root with a DKMS tree as dkms leaves it.
type Root struct {
	T      *testing.T
	Layout dkmsstate.Layout
}

// New creates a root with one kernel, which has its headers and a module of its own.
func New(t *testing.T) Root {
	f := Root{t, dkmsstate.DefaultLayout(t.TempDir())}
	f.Write("lib/modules/"+string(Kernel)+"/modules.order", "kernel/own.ko\n")
	f.Write("lib/modules/"+string(Kernel)+"/kernel/own.ko", "own")
	f.Write("lib/modules/"+string(Kernel)+"/build/include/marker", "")
	return f
}

// Path returns the path in the root of a path of the system.
func (f Root) Path(name string) string { return filepath.Join(f.Layout.Root, name) }

// Write writes a file. It creates the directories above it.
func (f Root) Write(name, content string) {
	f.T.Helper()
	require.NoError(f.T, os.MkdirAll(filepath.Dir(f.Path(name)), 0o755))
	require.NoError(f.T, os.WriteFile(f.Path(name), []byte(content), 0o644))
}

// Link creates a symbolic link and replaces whatever is there.
func (f Root) Link(target, name string) {
	f.T.Helper()
	require.NoError(f.T, os.MkdirAll(filepath.Dir(f.Path(name)), 0o755))
	require.NoError(f.T, os.RemoveAll(f.Path(name)))
	require.NoError(f.T, os.Symlink(target, f.Path(name)))
}

// Pipe replaces a file by a pipe that nobody writes to.
func (f Root) Pipe(name string) {
	f.T.Helper()
	require.NoError(f.T, os.RemoveAll(f.Path(name)))
	require.NoError(f.T, unix.Mkfifo(f.Path(name), 0o644))
}

// Register registers a module. conf is added to its dkms.conf.
func (f Root) Register(m dkmsstate.Module, conf string) {
	src := "usr/src/" + m.Name + "-" + m.Version
	f.Write(src+"/dkms.conf", "PACKAGE_NAME="+m.Name+"\nAUTOINSTALL=yes\n"+conf)
	f.Link("/"+src, "var/lib/dkms/"+m.Name+"/"+m.Version+"/source")
}

// AddBuild adds a build of a module to the tree.
func (f Root) AddBuild(m dkmsstate.Module) {
	f.Write(f.BuildFile(m), BuiltOf(m))
	f.Write("var/lib/dkms/"+m.Name+"/"+m.Version+"/"+string(Kernel)+"/"+Arch+"/log/make.log", "log")
}

// BuiltOf returns the contents of the file that is built of a module.
func BuiltOf(m dkmsstate.Module) string {
	return string(kmodtest.File(kmodtest.Module{Vermagic: Magic}, m.String()))
}

// BuildFile returns the path of the built file of a module.
func (f Root) BuildFile(m dkmsstate.Module) string {
	return "var/lib/dkms/" + m.Name + "/" + m.Version + "/" + string(Kernel) + "/" + Arch + "/module/" + m.Name + ".ko"
}

// InstalledFile returns the path of a file in the install directory.
func (f Root) InstalledFile(name string) string {
	return "lib/modules/" + string(Kernel) + "/updates/dkms/" + name
}

// AddInstalled adds a build to the tree, installs it and runs Depmod.
func (f Root) AddInstalled(m dkmsstate.Module) {
	f.AddBuild(m)
	f.Write(f.InstalledFile(m.Name+".ko"), BuiltOf(m))
	f.Link(dkmsstate.LinkTarget(m, Kernel, Arch), "var/lib/dkms/"+m.Name+"/"+dkmsstate.LinkName(Kernel, Arch))
	f.Depmod()
}

// Depmod writes what depmod would, as far as it is read here.
func (f Root) Depmod() {
	var b bytes.Buffer
	for _, dir := range []string{"kernel", dkmsstate.InstalledUnder} {
		entries, _ := os.ReadDir(f.Path("lib/modules/" + string(Kernel) + "/" + dir))
		for _, e := range entries {
			b.WriteString(dir + "/" + e.Name() + ": \n")
		}
	}
	f.Write("lib/modules/"+string(Kernel)+"/modules.dep", b.String())
	f.Write("lib/modules/"+string(Kernel)+"/modules.dep.bin", b.String())
}

// Kernels returns every kernel that occurs in the root.
func (f Root) Kernels() []dkmsstate.Release {
	survey, err := f.Layout.Survey()
	require.NoError(f.T, err)
	rec, err := record.Read(f.Layout)
	require.NoError(f.T, err)
	return survey.Kernels(rec)
}

// Snapshot returns the snapshot of the kernel.
func (f Root) Snapshot() dkmsstate.Snapshot {
	s, err := dkmsstate.ReadSnapshot(f.Layout, Kernel, Arch, dkmsstate.KernelRecord{})
	require.NoError(f.T, err)
	return s
}

// Examine takes a snapshot and examines it as fresh.Examine does, which this package cannot
// import: fresh's own tests import this one.
func (f Root) Examine(examine Examine, rec dkmsstate.KernelRecord) (dkmsstate.Snapshot, dkmsstate.KernelRecord) {
	s := f.Snapshot()
	rec = examine(f.T.Context(), &s, rec)
	return s, rec
}

// Examine is the type of fresh.Examine.
type Examine func(ctx context.Context, s *dkmsstate.Snapshot, rec dkmsstate.KernelRecord, built ...dkmsstate.Module) dkmsstate.KernelRecord

// Pointer returns a pointer to a new snapshot, for functions that change it.
func (f Root) Pointer() *dkmsstate.Snapshot {
	s := f.Snapshot()
	return &s
}

// Listing returns every path below the root with its contents.
func (f Root) Listing() map[string]string {
	out := map[string]string{}
	require.NoError(f.T, filepath.WalkDir(f.Layout.Root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(f.Layout.Root, path)
		switch {
		case d.Type()&os.ModeSymlink != 0:
			out[rel], _ = os.Readlink(path)
		case d.IsDir():
			out[rel] = "directory"
		default:
			data, err := os.ReadFile(path)
			out[rel] = string(data)
			if bytes.HasPrefix(data, []byte(elf.ELFMAG)) {
				out[rel] = fmt.Sprintf("module %x", sha256.Sum256(data))
			}
			return err
		}
		return nil
	}))
	return out
}

// Remove removes a file.
func (f Root) Remove(name string) {
	f.T.Helper()
	require.NoError(f.T, os.Remove(f.Path(name)))
}

// RemoveAll removes a directory with what is in it.
func (f Root) RemoveAll(name string) {
	f.T.Helper()
	require.NoError(f.T, os.RemoveAll(f.Path(name)))
}

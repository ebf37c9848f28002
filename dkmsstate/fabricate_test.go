package dkmsstate

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

const (
	testKernel = Release("6.1.0-test")
	testArch   = "x86_64"
)

// fabricated is a root with a DKMS tree as dkms leaves it.
// testMagic is the vermagic of fabricated modules.
const testMagic = string(testKernel) + " SMP preempt mod_unload modversions "

type fabricated struct {
	t      *testing.T
	layout Layout
}

func fabricate(t *testing.T) fabricated {
	f := fabricated{t, DefaultLayout(t.TempDir())}
	f.write("lib/modules/"+string(testKernel)+"/modules.order", "kernel/own.ko\n")
	f.write("lib/modules/"+string(testKernel)+"/kernel/own.ko", "own")
	f.write("lib/modules/"+string(testKernel)+"/build/include/marker", "")
	return f
}

func (f fabricated) path(name string) string { return filepath.Join(f.layout.Root, name) }

func (f fabricated) write(name, content string) {
	f.t.Helper()
	require.NoError(f.t, os.MkdirAll(filepath.Dir(f.path(name)), 0o755))
	require.NoError(f.t, os.WriteFile(f.path(name), []byte(content), 0o644))
}

func (f fabricated) link(target, name string) {
	f.t.Helper()
	require.NoError(f.t, os.MkdirAll(filepath.Dir(f.path(name)), 0o755))
	require.NoError(f.t, os.RemoveAll(f.path(name)))
	require.NoError(f.t, os.Symlink(target, f.path(name)))
}

// pipe puts a pipe that nobody writes in a file's place.
func (f fabricated) pipe(name string) {
	f.t.Helper()
	require.NoError(f.t, os.RemoveAll(f.path(name)))
	require.NoError(f.t, unix.Mkfifo(f.path(name), 0o644))
}

// register registers a module with a dkms.conf; conf adds lines to it.
func (f fabricated) register(m Module, conf string) {
	src := "usr/src/" + m.Name + "-" + m.Version
	f.write(src+"/dkms.conf", "PACKAGE_NAME="+m.Name+"\nAUTOINSTALL=yes\n"+conf)
	f.link("/"+src, "var/lib/dkms/"+m.Name+"/"+m.Version+"/source")
}

func (f fabricated) build(m Module) {
	f.write(f.buildFile(m), builtOf(m))
	f.write("var/lib/dkms/"+m.Name+"/"+m.Version+"/"+string(testKernel)+"/"+testArch+"/log/make.log", "log")
}

// builtOf is what a module is built to.
func builtOf(m Module) string {
	return string(kmodtest.File(kmodtest.Module{Vermagic: testMagic}, m.String()))
}

func (f fabricated) buildFile(m Module) string {
	return "var/lib/dkms/" + m.Name + "/" + m.Version + "/" + string(testKernel) + "/" + testArch + "/module/" + m.Name + ".ko"
}

func (f fabricated) installedFile(name string) string {
	return "lib/modules/" + string(testKernel) + "/updates/dkms/" + name
}

// install installs a module and lets modules.dep name it.
func (f fabricated) install(m Module) {
	f.build(m)
	f.write(f.installedFile(m.Name+".ko"), builtOf(m))
	f.link(linkTarget(m, testKernel, testArch), "var/lib/dkms/"+m.Name+"/"+linkName(testKernel, testArch))
	f.depmod()
}

// depmod writes what depmod would, as far as it is looked at here.
func (f fabricated) depmod() {
	var b bytes.Buffer
	for _, dir := range []string{"kernel", installedUnder} {
		entries, _ := os.ReadDir(f.path("lib/modules/" + string(testKernel) + "/" + dir))
		for _, e := range entries {
			b.WriteString(dir + "/" + e.Name() + ": \n")
		}
	}
	f.write("lib/modules/"+string(testKernel)+"/modules.dep", b.String())
	f.write("lib/modules/"+string(testKernel)+"/modules.dep.bin", b.String())
}

func (f fabricated) kernels() []Release {
	survey, err := f.layout.Survey()
	require.NoError(f.t, err)
	record, err := f.layout.ReadRecord()
	require.NoError(f.t, err)
	return survey.Kernels(record)
}

func (f fabricated) snapshot() Snapshot {
	s, err := ReadSnapshot(f.layout, testKernel, testArch, KernelRecord{})
	require.NoError(f.t, err)
	return s
}

func (f fabricated) pointer() *Snapshot {
	s := f.snapshot()
	return &s
}

// listing returns every path under the root with what it holds.
func (f fabricated) listing() map[string]string {
	out := map[string]string{}
	require.NoError(f.t, filepath.WalkDir(f.layout.Root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(f.layout.Root, path)
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

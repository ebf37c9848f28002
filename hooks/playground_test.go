package hooks

import (
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// playground is a root with two modules on two kernels, beside files that the hooks must not
// touch.
type playground struct {
	t         *testing.T
	top, root string
}

func newPlayground(t *testing.T, top string) playground {
	t.Helper()
	p := playground{t, top, filepath.Join(top, "root")}
	p.write("../outside/file", "outside")
	p.write("etc/passwd", "root")
	p.write("usr/lib/modules/6.2.0/kernel/own.ko", "own")
	for _, kernel := range []string{"6.1.0", "6.2.0"} {
		p.write("boot/vmlinuz-"+kernel, "image")
		p.write("lib/modules/"+kernel+"/kernel/own.ko", "own")
		p.write("lib/modules/"+kernel+"/modules.order", "kernel/own.ko")
		for _, m := range []string{"alpha", "beta"} {
			p.write("usr/src/"+m+"-1.0/dkms.conf", "PACKAGE_NAME="+m+"\nAUTOINSTALL=yes\n")
			p.write("var/lib/dkms/"+m+"/1.0/"+kernel+"/x86_64/module/"+m+".ko", m)
			p.write("lib/modules/"+kernel+"/updates/dkms/"+m+".ko", m)
			p.link("1.0/"+kernel+"/x86_64", "var/lib/dkms/"+m+"/kernel-"+kernel+"-x86_64")
			p.link("/usr/src/"+m+"-1.0", "var/lib/dkms/"+m+"/1.0/source")
		}
		p.write("lib/modules/"+kernel+"/modules.dep", "kernel/own.ko:\nupdates/dkms/alpha.ko:\nupdates/dkms/beta.ko:\n")
		p.write("lib/modules/"+kernel+"/modules.dep.bin", "updates/dkms/alpha.ko:updates/dkms/beta.ko:")
		p.write("var/lib/dpkg/info/linux-image-"+kernel+".list", "/boot/vmlinuz-"+kernel+"\n")
	}
	p.write("var/lib/dpkg/status", "Package: linux-image-6.1.0\nStatus: deinstall ok half-configured\nArchitecture: amd64\nVersion: 1\n\n"+
		"Package: linux-image-6.2.0\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n")
	return p
}

func (p playground) write(name, text string) {
	path := filepath.Join(p.root, name)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(p.t, os.WriteFile(path, []byte(text), 0o644))
}

func (p playground) link(target, name string) {
	path := filepath.Join(p.root, name)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(path), 0o755))
	if _, err := os.Lstat(path); err != nil {
		require.NoError(p.t, os.Symlink(target, path))
	}
}

// listing returns the content of every file, by path.
func (p playground) listing() map[string]string {
	out := map[string]string{}
	_ = filepath.WalkDir(p.top, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(p.top, path)
		switch {
		case err != nil:
			out[rel] = "unreadable"
		case d.Type()&fs.ModeSymlink != 0:
			out[rel], _ = os.Readlink(path)
		case d.Type().IsRegular():
			data, _ := os.ReadFile(path)
			out[rel] = string(data)
		default:
			out[rel] = d.Type().String()
		}
		return nil
	})
	return out
}

// mutate damages a random file or directory that the hooks read, and describes the damage.
func (p playground) mutate(draw *rand.Rand) string {
	var paths []string
	for path := range p.listing() {
		if strings.HasPrefix(path, "root/") && !strings.HasPrefix(path, "root/etc") && strings.Count(path, "/") > 2 {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	rel := paths[draw.Intn(len(paths))]
	path := filepath.Join(p.top, rel)
	what := []string{"remove", "empty", "noise", "directory", "link outside", "link nowhere", "link to itself", "pipe", "rename", "append", "fill"}[draw.Intn(11)]
	noise := make([]byte, draw.Intn(200))
	draw.Read(noise)
	replace := func() { _ = os.RemoveAll(path) }
	switch what {
	case "remove":
		replace()
	case "empty":
		_ = os.Truncate(path, 0)
	case "noise":
		replace()
		_ = os.WriteFile(path, noise, 0o644)
	case "directory":
		replace()
		_ = os.MkdirAll(filepath.Join(path, "sub"), 0o755)
	case "link outside":
		replace()
		_ = os.Symlink(filepath.Join(p.top, "outside"), path)
	case "link nowhere":
		replace()
		_ = os.Symlink("/nonexistent/x", path)
	case "link to itself":
		replace()
		_ = os.Symlink(filepath.Base(path), path)
	case "pipe":
		replace()
		_ = unix.Mkfifo(path, 0o644)
	case "rename":
		_ = os.Rename(path, filepath.Join(filepath.Dir(path), ".unbuild-6.1.0"))
	case "append":
		if file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
			_, _ = file.Write(noise)
			file.Close()
		}
	case "fill":
		_ = os.WriteFile(filepath.Join(path, ".old-6.1.0"), noise, 0o644)
	}
	return what + " " + rel
}

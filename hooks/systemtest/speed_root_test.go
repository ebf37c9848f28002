//go:build integration

package systemtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// speedRoot is a root whose DKMS tree and module tree are plain directories on the
// disk, with as many modules and kernels as a row asks for.
type speedRoot struct {
	root
	lab *speedLab
	// modules and dkms are what stands at /usr/lib/modules and /var/lib/dkms.
	modules, dkms string
}

// speedLab is what the two roots of a suite are made from.
type speedLab struct {
	lab
	// common has the suite's real kernel and headers, and the template.
	common      root
	stock, ours speedRoot
	// scratch is on the disk, where root is.
	scratch string
	// built is the name of a module that dkms itself built and installed, whose files
	// all others are copies of.
	file string
	// lists holds what depmod wrote, for each number of modules.
	lists string
}

const template = "m000"

// newSpeedLab makes a stock root and one of ours, with the suite's real headers and
// the whole module tree of its real kernel.
func newSpeedLab(t *testing.T, b bench, suite string) *speedLab {
	t.Helper()
	scratch, err := os.MkdirTemp("/var/tmp", "dkms-hooks-speed.")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(scratch)) })
	l := &speedLab{lab: lab{bench: b, suite: suite}, scratch: scratch, lists: filepath.Join(scratch, "lists")}
	require.NoError(t, os.Mkdir(l.lists, 0o755))
	base := filepath.Join(b.roots, suite)
	if _, err := os.Stat(filepath.Join(base, "kver")); err != nil {
		b.make(t, "mkroot", suite, base)
	}
	kver, err := os.ReadFile(filepath.Join(base, "kver"))
	require.NoError(t, err)
	l.kver = strings.TrimSpace(string(kver))

	common := l.base().fork(t, scratch)
	l.common = common
	l.addKernel(t, common)
	b.make(t, "mkmodule", common.dir, template, "1.0")
	common.must(t, "dkms build "+template+"/1.0 -k "+l.kver+" && dkms install "+template+"/1.0 -k "+l.kver)
	l.file = filepath.Base(common.must(t, "ls -d /lib/modules/"+l.kver+"/updates/dkms/*"))
	l.file = strings.TrimSpace(l.file)
	l.stock = l.speedRoot(t, common)
	l.ours = l.speedRoot(t, common)
	l.copyIn(t, l.ours.root, l.deb, "dkms-hooks.deb")
	l.ours.must(t, "dpkg -i /srv/dkms-hooks.deb")
	return l
}

// addKernel gives a fork of base the suite's real kernel and headers, and what measures.
func (l *speedLab) addKernel(t *testing.T, r root) {
	t.Helper()
	l.compile(t, r, "measure")
	r.must(t, "apt-get update -qq >/dev/null; cd /srv && apt-get download -q linux-image-"+l.kver)
	r.must(t, `dpkg -i --force-depends /debs/linux-headers-*.deb && dpkg-deb -x /srv/linux-image-*.deb /srv/image && rm /srv/linux-image-*.deb &&
		cp -a /srv/image/boot/. /boot/ && cd /srv/image && cp -a "$(find . -type d -path '*lib/modules/'$K)"/. /usr/lib/modules/$K/ && rm -r /srv/image && depmod -a $K`, "K="+l.kver)
}

// base is the root that mkroot made.
func (l *speedLab) base() root {
	return root{layers: []string{filepath.Join(l.roots, l.suite)}}
}

// compile puts a program of testdata/lab into /srv of a root.
func (l *speedLab) compile(t *testing.T, r root, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(r.path("srv"), 0o755))
	out, err := exec.Command("gcc", "-O2", "-Wall", "-static", "-o", r.path("srv", name), filepath.Join(l.top, "testdata", "lab", name+".c")).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func (l *speedLab) speedRoot(t *testing.T, common root) speedRoot {
	t.Helper()
	r := speedRoot{root: common.fork(t, l.scratch), lab: l}
	dir, err := os.MkdirTemp(l.scratch, "trees.")
	require.NoError(t, err)
	bind := func(name, at string) string {
		path := filepath.Join(dir, name)
		out, err := exec.Command("cp", "-a", r.path(at), path).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.NoError(t, unix.Mount(path, r.path(at), "", unix.MS_BIND, ""))
		t.Cleanup(func() { require.NoError(t, unix.Unmount(r.path(at), unix.MNT_DETACH)) })
		return path
	}
	r.modules, r.dkms = bind("modules", "usr/lib/modules"), bind("dkms", "var/lib/dkms")
	require.NoError(t, os.Rename(filepath.Join(r.dkms, template), filepath.Join(dir, template)))
	status, err := os.OpenFile(r.path("var/lib/dpkg/status"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer status.Close()
	for _, kernel := range l.kernels(most) {
		if kernel != l.kver {
			out, err := exec.Command("cp", "-al", filepath.Join(r.modules, l.kver), filepath.Join(r.modules, kernel)).CombinedOutput()
			require.NoError(t, err, "%s", out)
			r.must(t, "cp -a /boot/vmlinuz-$FROM /boot/vmlinuz-$TO && cp -a /boot/System.map-$FROM /boot/System.map-$TO && cp -a /boot/config-$FROM /boot/config-$TO",
				"FROM="+l.kver, "TO="+kernel)
		}
		// What dpkg says of a kernel package whose prerm it runs to remove it.
		_, err := fmt.Fprintf(status, "\nPackage: linux-image-%s\nStatus: deinstall ok half-configured\nMaintainer: lab <lab@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: kernel\n", kernel)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(r.path("var/lib/dpkg/info/linux-image-"+kernel+".list"), []byte("/lib/modules/"+kernel+"/kernel\n"), 0o644))
	}
	return r
}

// most is the largest number of kernels.
const most = 5

// kernels returns the releases of as many kernels.
func (l *speedLab) kernels(k int) []string {
	kernels := []string{l.kver}
	for i := 2; i <= k; i++ {
		kernels = append(kernels, l.kver+"-b"+strconv.Itoa(i))
	}
	return kernels
}

// fill gives the root n modules, installed on k kernels, as dkms itself leaves one.
func (r speedRoot) fill(t *testing.T, n, k int) {
	t.Helper()
	r.clear(t)
	for i := range n {
		r.register(t, i)
	}
	installed := filepath.Join(filepath.Dir(r.dkms), template)
	built := filepath.Join(installed, "1.0", r.lab.kver, "x86_64")
	module, err := os.ReadFile(filepath.Join(built, "module", r.lab.file))
	require.NoError(t, err)
	log, err := os.ReadFile(filepath.Join(built, "log", "make.log"))
	require.NoError(t, err)
	for _, kernel := range r.lab.kernels(k) {
		updates := filepath.Join(r.modules, kernel, "updates", "dkms")
		require.NoError(t, os.MkdirAll(updates, 0o755))
		for i := range n {
			name := moduleName(i)
			dir := filepath.Join(r.dkms, name, "1.0", kernel, "x86_64")
			file := strings.Replace(r.lab.file, template, name, 1)
			write(t, filepath.Join(dir, "module", file), module)
			write(t, filepath.Join(dir, "log", "make.log"), log)
			write(t, filepath.Join(updates, file), module)
			require.NoError(t, os.Symlink(filepath.Join("1.0", kernel, "x86_64"), filepath.Join(r.dkms, name, "kernel-"+kernel+"-x86_64")))
		}
		r.depmod(t, kernel, n)
	}
}

// clear leaves no module and what depmod writes without any.
func (r speedRoot) clear(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(r.dkms, "m*"))
	require.NoError(t, err)
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil && info.IsDir() {
			require.NoError(t, os.RemoveAll(name))
		}
	}
	for _, kernel := range r.lab.kernels(most) {
		require.NoError(t, os.RemoveAll(filepath.Join(r.modules, kernel, "updates")))
		r.depmod(t, kernel, 0)
	}
	require.NoError(t, os.RemoveAll(r.path("var/lib/dkms-hooks")))
}

// register gives the root a module that is known to dkms and nothing more.
func (r speedRoot) register(t *testing.T, i int) {
	t.Helper()
	name := moduleName(i)
	source := "usr/src/" + name + "-1.0"
	if _, err := os.Stat(r.path(source)); err != nil {
		files, err := filepath.Glob(r.path("usr/src/" + template + "-1.0/*"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			write(t, r.path(source, strings.ReplaceAll(filepath.Base(file), template, name)), []byte(strings.ReplaceAll(string(text), template, name)))
		}
	}
	require.NoError(t, os.MkdirAll(filepath.Join(r.dkms, name, "1.0"), 0o755))
	require.NoError(t, os.Symlink("/"+source, filepath.Join(r.dkms, name, "1.0", "source")))
}

func moduleName(i int) string { return fmt.Sprintf("m%03d", i+1) }

// depmod puts what depmod writes for n modules into the kernel's directory; depmod
// itself runs once for each number, since with equal names it writes the same.
func (r speedRoot) depmod(t *testing.T, kernel string, n int) {
	t.Helper()
	dir := filepath.Join(r.modules, kernel)
	lists := filepath.Join(r.lab.lists, strconv.Itoa(n))
	// the copies of a kernel share their files until something writes them anew
	old, err := filepath.Glob(filepath.Join(dir, "modules.*"))
	require.NoError(t, err)
	made := slices.DeleteFunc(old, func(path string) bool {
		base := filepath.Base(path)
		return base == "modules.builtin" || base == "modules.builtin.modinfo" || base == "modules.order"
	})
	if _, err := os.Stat(lists); err != nil {
		r.must(t, "depmod -a -F /boot/System.map-$K $K", "K="+kernel)
		require.NoError(t, os.Mkdir(lists, 0o755))
		for _, path := range made {
			require.NoError(t, exec.Command("cp", "-a", path, lists).Run())
		}
		return
	}
	for _, path := range made {
		require.NoError(t, os.Remove(path))
	}
	out, err := exec.Command("cp", "-a", lists+"/.", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

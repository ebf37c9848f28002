package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/hooks/systemtest/lab"
)

// diskRoot is a root whose DKMS tree and module tree are plain directories on the
// disk, with as many modules and kernels as a row asks for.
type diskRoot struct {
	lab.Root
	of *roots
	// modules and dkms are what stands at /usr/lib/modules and /var/lib/dkms.
	modules, dkms string
}

// roots is what the two roots of a suite are made from.
type roots struct {
	lab.Suite
	selection
	// common has the suite's real kernel and headers, and the template.
	common      lab.Root
	stock, ours diskRoot
	// disk is a directory on the disk, beside the scratch in memory.
	disk string
	// built is the name of a module that dkms itself built and installed, whose files
	// all others are copies of.
	file string
	// lists holds what depmod wrote, for each number of modules.
	lists string
}

const template = "m000"

// newRoots makes a stock root and one of ours, with the suite's real headers and
// the whole module tree of its real kernel.
func newRoots(t lab.T, asked selection, suite lab.Suite) *roots {
	t.Helper()
	scratch, err := os.MkdirTemp("/var/tmp", "dkms-hooks-bench.")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(scratch)) })
	l := &roots{Suite: suite, selection: asked, disk: scratch, lists: filepath.Join(scratch, "lists")}
	require.NoError(t, os.Mkdir(l.lists, 0o755))

	common := l.Base().Fork(t, scratch)
	l.common = common
	l.addKernel(t, common)
	l.Make(t, "mkmodule", common.Dir, template, "1.0")
	common.Must(t, "dkms build "+template+"/1.0 -k "+l.Kver+" && dkms install "+template+"/1.0 -k "+l.Kver)
	l.file = filepath.Base(common.Must(t, "ls -d /lib/modules/"+l.Kver+"/updates/dkms/*"))
	l.file = strings.TrimSpace(l.file)
	l.stock = l.diskRoot(t, common)
	l.ours = l.diskRoot(t, common)
	l.ours.CopyIn(t, l.Deb, "dkms-hooks.deb")
	l.ours.Must(t, "dpkg -i /srv/dkms-hooks.deb")
	return l
}

// addKernel gives a fork of base the suite's real kernel and headers, and what measures.
func (l *roots) addKernel(t lab.T, r lab.Root) {
	t.Helper()
	l.Compile(t, r, "measure")
	r.Must(t, "apt-get update -qq >/dev/null; cd /srv && apt-get download -q linux-image-"+l.Kver)
	r.Must(t, `dpkg -i --force-depends /debs/linux-headers-*.deb && dpkg-deb -x /srv/linux-image-*.deb /srv/image && rm /srv/linux-image-*.deb &&
		cp -a /srv/image/boot/. /boot/ && cd /srv/image && cp -a "$(find . -type d -path '*lib/modules/'$K)"/. /usr/lib/modules/$K/ && rm -r /srv/image && depmod -a $K`, "K="+l.Kver)
}

func (l *roots) diskRoot(t lab.T, common lab.Root) diskRoot {
	t.Helper()
	r := diskRoot{Root: common.Fork(t, l.disk), of: l}
	dir, err := os.MkdirTemp(l.disk, "trees.")
	require.NoError(t, err)
	bind := func(name, at string) string {
		path := filepath.Join(dir, name)
		out, err := exec.Command("cp", "-a", r.Path(at), path).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.NoError(t, unix.Mount(path, r.Path(at), "", unix.MS_BIND, ""))
		t.Cleanup(func() { require.NoError(t, unix.Unmount(r.Path(at), unix.MNT_DETACH)) })
		return path
	}
	r.modules, r.dkms = bind("modules", "usr/lib/modules"), bind("dkms", "var/lib/dkms")
	require.NoError(t, os.Rename(filepath.Join(r.dkms, template), filepath.Join(dir, template)))
	status, err := os.OpenFile(r.Path("var/lib/dpkg/status"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer status.Close()
	for _, kernel := range l.kernels(most) {
		if kernel != l.Kver {
			out, err := exec.Command("cp", "-al", filepath.Join(r.modules, l.Kver), filepath.Join(r.modules, kernel)).CombinedOutput()
			require.NoError(t, err, "%s", out)
			r.Must(t, "cp -a /boot/vmlinuz-$FROM /boot/vmlinuz-$TO && cp -a /boot/System.map-$FROM /boot/System.map-$TO && cp -a /boot/config-$FROM /boot/config-$TO",
				"FROM="+l.Kver, "TO="+kernel)
		}
		// What dpkg says of a kernel package whose prerm it runs to remove it.
		_, err := fmt.Fprintf(status, "\nPackage: linux-image-%s\nStatus: deinstall ok half-configured\nMaintainer: lab <lab@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: kernel\n", kernel)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(r.Path("var/lib/dpkg/info/linux-image-"+kernel+".list"), []byte("/lib/modules/"+kernel+"/kernel\n"), 0o644))
	}
	return r
}

// most is the largest number of kernels.
const most = 5

// kernels returns the releases of as many kernels.
func (l *roots) kernels(k int) []string {
	kernels := []string{l.Kver}
	for i := 2; i <= k; i++ {
		kernels = append(kernels, l.Kver+"-b"+strconv.Itoa(i))
	}
	return kernels
}

// fill gives the root n modules, installed on k kernels, as dkms itself leaves one.
func (r diskRoot) fill(t lab.T, n, k int) {
	t.Helper()
	r.clear(t)
	for i := range n {
		r.register(t, i)
	}
	installed := filepath.Join(filepath.Dir(r.dkms), template)
	built := filepath.Join(installed, "1.0", r.of.Kver, "x86_64")
	module, err := os.ReadFile(filepath.Join(built, "module", r.of.file))
	require.NoError(t, err)
	log, err := os.ReadFile(filepath.Join(built, "log", "make.log"))
	require.NoError(t, err)
	for _, kernel := range r.of.kernels(k) {
		updates := filepath.Join(r.modules, kernel, "updates", "dkms")
		require.NoError(t, os.MkdirAll(updates, 0o755))
		for i := range n {
			name := moduleName(i)
			dir := filepath.Join(r.dkms, name, "1.0", kernel, "x86_64")
			file := strings.Replace(r.of.file, template, name, 1)
			write(t, filepath.Join(dir, "module", file), module)
			write(t, filepath.Join(dir, "log", "make.log"), log)
			write(t, filepath.Join(updates, file), module)
			require.NoError(t, os.Symlink(filepath.Join("1.0", kernel, "x86_64"), filepath.Join(r.dkms, name, "kernel-"+kernel+"-x86_64")))
		}
		r.depmod(t, kernel, n)
	}
}

// clear leaves no module and what depmod writes without any.
func (r diskRoot) clear(t lab.T) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(r.dkms, "m*"))
	require.NoError(t, err)
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil && info.IsDir() {
			require.NoError(t, os.RemoveAll(name))
		}
	}
	for _, kernel := range r.of.kernels(most) {
		require.NoError(t, os.RemoveAll(filepath.Join(r.modules, kernel, "updates")))
		r.depmod(t, kernel, 0)
	}
	require.NoError(t, os.RemoveAll(r.Path("var/lib/dkms-hooks")))
}

// register gives the root a module that is known to dkms and nothing more.
func (r diskRoot) register(t lab.T, i int) {
	t.Helper()
	name := moduleName(i)
	source := "usr/src/" + name + "-1.0"
	if _, err := os.Stat(r.Path(source)); err != nil {
		files, err := filepath.Glob(r.Path("usr/src/" + template + "-1.0/*"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			write(t, r.Path(source, strings.ReplaceAll(filepath.Base(file), template, name)), []byte(strings.ReplaceAll(string(text), template, name)))
		}
	}
	require.NoError(t, os.MkdirAll(filepath.Join(r.dkms, name, "1.0"), 0o755))
	require.NoError(t, os.Symlink("/"+source, filepath.Join(r.dkms, name, "1.0", "source")))
}

func moduleName(i int) string { return fmt.Sprintf("m%03d", i+1) }

// depmod puts what depmod writes for n modules into the kernel's directory; depmod
// itself runs once for each number, since with equal names it writes the same.
func (r diskRoot) depmod(t lab.T, kernel string, n int) {
	t.Helper()
	dir := filepath.Join(r.modules, kernel)
	lists := filepath.Join(r.of.lists, strconv.Itoa(n))
	// the copies of a kernel share their files until something writes them anew
	old, err := filepath.Glob(filepath.Join(dir, "modules.*"))
	require.NoError(t, err)
	made := slices.DeleteFunc(old, func(path string) bool {
		base := filepath.Base(path)
		return base == "modules.builtin" || base == "modules.builtin.modinfo" || base == "modules.order"
	})
	if _, err := os.Stat(lists); err != nil {
		r.Must(t, "depmod -a -F /boot/System.map-$K $K", "K="+kernel)
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

func write(t lab.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

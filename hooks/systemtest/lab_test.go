//go:build integration

package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lab is one suite's roots and kernel packages.
type lab struct {
	bench
	suite string
	// kver is the kernel release of the suite's own headers.
	kver string
	// debs holds the kernel packages, a directory for each style.
	debs string
	// stock has dkms as the suite ships it and the three good modules; ours has
	// the package under test besides.
	stock, ours root
	stages      *stages
}

// goodModules are in every root: two tiny ones, of which beta needs alpha to be
// built before it and has a script of its own to run, and Debian's acpi-call.
func goodModules() []string { return []string{"alpha", "beta", "acpi_call"} }

// revisions of the kernel packages: 2 is an upgrade of 1.
func revisions() []string { return []string{"1", "2"} }

// lab makes what is not there yet.
func (b bench) lab(t *testing.T, suite string) lab {
	t.Helper()
	l := lab{bench: b, suite: suite, debs: filepath.Join(b.roots, suite+"-kernels")}
	base := filepath.Join(b.roots, suite)
	if _, err := os.Stat(filepath.Join(base, "kver")); err != nil {
		b.make(t, "mkroot", suite, base)
	}
	kver, err := os.ReadFile(filepath.Join(base, "kver"))
	require.NoError(t, err)
	l.kver = strings.TrimSpace(string(kver))
	l.stock = root{layers: []string{base}}.fork(t, b.scratch)
	l.makeKernels(t)
	b.make(t, "mkmodule", l.stock.dir, "alpha", "1.0")
	b.make(t, "mkmodule", l.stock.dir, "beta", "1.0", "--depends", "alpha", "--post-remove")
	l.stock.must(t, "dpkg -i /debs/acpi-call-dkms_*.deb")
	l.ours = l.installOurs(t, l.stock)
	l.stages = &stages{t: t, of: map[string]stage{}}
	return l
}

// makeKernels makes the packages of the suite's kernel in both styles and
// revisions, and one more kernel whose release begins with that of the first.
func (l lab) makeKernels(t *testing.T) {
	t.Helper()
	workshop := l.stock.fork(t, l.scratch)
	for _, style := range styles() {
		for _, revision := range revisions() {
			l.makeKernel(t, workshop, style, l.kver, revision)
		}
		l.makeKernel(t, workshop, style, l.otherKver(), "1")
	}
}

// otherKver is a second kernel of the suite.
func (l lab) otherKver() string { return l.kver + "-other" }

func (l lab) makeKernel(t *testing.T, workshop root, style, kver, revision string) {
	t.Helper()
	out := filepath.Join(l.debs, style)
	if _, err := os.Stat(filepath.Join(out, "linux-headers-"+kver+"_"+revision+"_amd64.deb")); err == nil {
		return
	}
	l.make(t, "mkkernel", style, workshop.dir, kver, revision, out)
}

// installOurs forks a root and installs the package under test into it.
func (l lab) installOurs(t *testing.T, from root) root {
	t.Helper()
	r := from.fork(t, l.scratch)
	l.copyIn(t, r, l.deb, "dkms-hooks.deb")
	r.must(t, "dpkg -i /srv/dkms-hooks.deb")
	return r
}

// copyIn copies a file to /srv of a root.
func (l lab) copyIn(t *testing.T, r root, file, name string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(r.path("srv"), 0o755))
	require.NoError(t, os.WriteFile(r.path("srv", name), data, 0o644))
}

// prelude begins a script that uses the functions of transitions/lib.sh.
const prelude = ". /srv/lib.sh\n"

// withKernels puts the kernel packages of a style into /srv/kernels of a root, and the
// functions of transitions into /srv/lib.sh.
func (l lab) withKernels(t *testing.T, r root, style string) {
	t.Helper()
	l.copyIn(t, r, filepath.Join("transitions", "lib.sh"), "lib.sh")
	require.NoError(t, os.CopyFS(r.path("srv", "kernels"), os.DirFS(filepath.Join(l.debs, style))))
}

// env are the variables by which scripts name the kernels' packages: K, with
// image1, headers1, image2 and headers2, and OTHER with otherimage and otherheaders.
func (l lab) env() []string {
	env := []string{"K=" + l.kver, "OTHER=" + l.otherKver()}
	deb := func(part, kver, revision string) string {
		return "/srv/kernels/linux-" + part + "-" + kver + "_" + revision + "_amd64.deb"
	}
	for _, part := range []string{"image", "headers"} {
		for _, revision := range revisions() {
			env = append(env, part+revision+"="+deb(part, l.kver, revision))
		}
		env = append(env, "other"+part+"="+deb(part, l.otherKver(), "1"))
	}
	return env
}

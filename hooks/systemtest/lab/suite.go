package lab

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
)

// Suite is one release of Debian with its kernel packages.
type Suite struct {
	Lab
	Name string
	// Kver is the kernel release of the suite's own headers.
	Kver string
	// debs holds the kernel packages, a directory for each style.
	debs string
}

// Suite makes the root of a release with mkroot, with the packages that mkdebs downloads
// into it, unless they are there.
func (l Lab) Suite(t T, name string) Suite {
	t.Helper()
	s := Suite{Lab: l, Name: name, debs: filepath.Join(l.Roots, name+"-kernels")}
	base := filepath.Join(l.Roots, name)
	if _, err := os.Stat(filepath.Join(base, "kver")); err != nil {
		l.Make(t, "mkroot", name, base)
	}
	if _, err := os.Stat(filepath.Join(base, "debs", "tools", "unattended-upgrades")); err != nil { // the last one
		l.Make(t, "mkdebs", base)
	}
	kver, err := os.ReadFile(filepath.Join(base, "kver"))
	require.NoError(t, err)
	s.Kver = strings.TrimSpace(string(kver))
	return s
}

// Base is the root that mkroot made. Only forks of it are worked in.
func (s Suite) Base() Root {
	return Root{Layers: []string{filepath.Join(s.Roots, s.Name)}}
}

// Styles are the two ways in which kernel packages call the hooks.
func Styles() []string { return []string{"builddeb", "debian"} }

// revisions of the kernel packages: 2 is an upgrade of 1.
func revisions() []string { return []string{"1", "2"} }

// MakeKernels makes the packages of the suite's kernel in both styles and
// revisions, and one more kernel whose release begins with that of the first.
func (s Suite) MakeKernels(t T) {
	t.Helper()
	workshop := s.Base().Fork(t, s.Scratch)
	for _, style := range Styles() {
		for _, revision := range revisions() {
			s.MakeKernel(t, workshop, style, s.Kver, revision)
		}
		s.MakeKernel(t, workshop, style, s.OtherKver(), "1")
	}
}

// OtherKver is a second kernel of the suite.
func (s Suite) OtherKver() string { return s.Kver + "-other" }

// MakeKernel makes the packages of a kernel with mkkernel in a root, unless they are there.
func (s Suite) MakeKernel(t T, workshop Root, style, kver, revision string) {
	t.Helper()
	out := filepath.Join(s.debs, style)
	if _, err := os.Stat(filepath.Join(out, "linux-headers-"+kver+"_"+revision+"_amd64.deb")); err == nil {
		return
	}
	s.Make(t, "mkkernel", style, workshop.Dir, kver, revision, out)
}

// InstallOurs forks a root and installs the package under test into it.
func (s Suite) InstallOurs(t T, from Root) Root {
	t.Helper()
	r := from.Fork(t, s.Scratch)
	r.CopyIn(t, s.Deb, "dkms-hooks.deb")
	r.Must(t, "dpkg -i /srv/dkms-hooks.deb")
	return r
}

// Prelude begins a script that uses the functions of transitions/lib.sh.
const Prelude = ". /srv/lib.sh\n"

// WithKernels puts the kernel packages of a style into /srv/kernels of a root, and the
// functions of transitions into /srv/lib.sh.
func (s Suite) WithKernels(t T, r Root, style string) {
	t.Helper()
	s.CopyPrelude(t, r)
	require.NoError(t, os.CopyFS(r.Path("srv", "kernels"), os.DirFS(filepath.Join(s.debs, style))))
}

// CopyPrelude puts what Prelude reads into a root.
func (l Lab) CopyPrelude(t T, r Root) {
	t.Helper()
	r.CopyIn(t, filepath.Join(l.Top, "hooks", "systemtest", "transitions", "lib.sh"), "lib.sh")
}

// Env are the variables by which scripts name the kernels' packages: K, with
// image1, headers1, image2 and headers2, and OTHER with otherimage and otherheaders.
func (s Suite) Env() []string {
	env := []string{"K=" + s.Kver, "OTHER=" + s.OtherKver()}
	deb := func(part, kver, revision string) string {
		return "/srv/kernels/linux-" + part + "-" + kver + "_" + revision + "_amd64.deb"
	}
	for _, part := range []string{"image", "headers"} {
		for _, revision := range revisions() {
			env = append(env, part+revision+"="+deb(part, s.Kver, revision))
		}
		env = append(env, "other"+part+"="+deb(part, s.OtherKver(), "1"))
	}
	return env
}

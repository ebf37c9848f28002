//go:build integration

package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// testCallers plays the transitions of the matrix with kernel packages that call the hooks in
// other ways, and those that only such packages have. Without -callers it plays the latter, for
// the styles that differ most from the two of the matrix.
func testCallers(t *testing.T, l suite) {
	rows, err := readRows("transitions")
	require.NoError(t, err)
	own, err := readRows("callers")
	require.NoError(t, err)
	if l.callersDir == "" {
		rows = nil
	}
	var styles []string
	for _, c := range callers() {
		styles = append(styles, c.style)
	}
	m := l.newMatrix(t, &matrix{made: "callers", title: "What becomes of a kernel's modules, by the style of its packages", dir: l.callersDir, styles: styles})
	stockRoot, oursRoot := l.stock.Fork(t, l.Scratch), l.ours.Fork(t, l.Scratch)
	for _, r := range []lab.Root{stockRoot, oursRoot} {
		r.Must(t, oneModule)
	}
	t.Run("of", func(t *testing.T) {
		for _, c := range callers() {
			if l.callersDir == "" && !c.always {
				continue
			}
			t.Run(c.style, func(t *testing.T) {
				t.Parallel()
				l.makeCaller(t, c)
				ours, stock := l.callerStage(t, oursRoot, c), stage{}
				if l.withStock {
					stock = l.callerStage(t, stockRoot, c)
				}
				for _, r := range append(rows, own...) {
					if adapted, applies := c.adapt(r); applies {
						t.Run(r.name, func(t *testing.T) { m.play(t, c.style, adapted, stock, ours) })
					}
				}
			})
		}
	})
	m.write(t)
}

// oneModule leaves one of the good modules: what becomes of the others is for the matrix.
const oneModule = "dpkg -P acpi-call-dkms && dkms remove beta/1.0 --all && rm -r /usr/src/beta-1.0"

// callerStage installs a kernel of a style, and a second one where both can be installed.
func (l suite) callerStage(t *testing.T, from lab.Root, c caller) stage {
	t.Helper()
	s := l.settledBy(t, from, c)
	if !c.single {
		s.two = l.withOther(t, s)
	}
	return s
}

// callerKernels are the releases and revisions of a style's packages.
func (l suite) callerKernels(c caller) map[string][2]string {
	other := "1"
	if c.single {
		other = "3" // the package of another release is an upgrade
	}
	return map[string][2]string{"1": {l.Kver, "1"}, "2": {l.Kver, "2"}, "other": {l.OtherKver(), other}}
}

// makeCaller makes the packages of a style.
func (l suite) makeCaller(t *testing.T, c caller) {
	t.Helper()
	workshop := l.Base().Fork(t, l.Scratch)
	out := filepath.Join(l.Roots, l.Name+"-kernels", c.style)
	for _, kernel := range l.callerKernels(c) {
		if _, err := os.Stat(filepath.Join(out, filepath.Base(debOf(c.headers[0], kernel)))); err != nil {
			l.Make(t, "mkkernel", c.style, workshop.Dir, kernel[0], kernel[1], out)
		}
	}
}

// debOf is the path of a package in a root.
func debOf(name string, kernel [2]string) string {
	return "/srv/kernels/" + named(name, kernel[0]) + "_" + kernel[1] + "_amd64.deb"
}

// envOf are the variables by which transitions name the packages of a style: those of the lab,
// with lists of paths, and IMAGE, HEADERS, OTHERIMAGE and OTHERHEADERS, lists of names.
func (l suite) envOf(c caller) []string {
	if len(c.image) == 1 && !c.single && named(c.image[0], "K") == "linux-image-K" {
		return append(l.Env(), "IMAGE=linux-image-"+l.Kver, "HEADERS=linux-headers-"+l.Kver,
			"OTHERIMAGE=linux-image-"+l.OtherKver(), "OTHERHEADERS=linux-headers-"+l.OtherKver())
	}
	env := []string{"K=" + l.Kver, "OTHER=" + l.OtherKver()}
	for part, names := range map[string][]string{"image": c.image, "headers": c.headers} {
		for which, kernel := range l.callerKernels(c) {
			var debs []string
			for _, name := range names {
				debs = append(debs, debOf(name, kernel))
			}
			variable := part + which
			if which == "other" {
				variable = which + part
			}
			env = append(env, variable+"="+strings.Join(debs, " "))
		}
		list := strings.Join(names, " ")
		env = append(env, strings.ToUpper(part)+"="+named(list, l.Kver), "OTHER"+strings.ToUpper(part)+"="+named(list, l.OtherKver()))
	}
	return env
}

//go:build integration

package systemtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// quickPackages are those of Debian's packages of DKMS modules that make check tries.
func quickPackages() []string {
	return []string{"acpi-call-dkms", "bbswitch-dkms", "dkms-replace-test-dkms"}
}

// packageSteps are what happens to each package, with the kernel that is there; in make
// check only what leaves the kernel there.
func (s *stockwise) packageSteps() []string {
	steps := []string{`apt install "$package"`, `dpkg -i $image1`}
	if s.stockwiseDir != "" {
		steps = append(steps, `dpkg -r --force-depends linux-image-$K && dpkg -i $image1`, `apt install --reinstall "$package"`)
	}
	return append(steps, purgePackage)
}

const purgePackage = `apt purge "$package"`

// packageJudge judges after a step. The modules are those that the stock hooks have once
// the package is installed, none after the purge. What is there has to belong to a module
// that dkms knows.
const packageJudge = `
for m in $modules; do
	file=$(modinfo -k "$K" -n "$m" 2>/dev/null) || :
	case $file in /*/updates/*) ;; *) wrong "$m is not found" ;; esac
	[ "$(modinfo -F vermagic "$file" 2>/dev/null | cut -d ' ' -f 1)" = "$K" ] || wrong "$m is for another kernel"
done
configured
for file in $(find "/lib/modules/$K/updates/" -name '*.ko*' 2>/dev/null); do
	name=${file##*/}
	ls /var/lib/dkms/*/kernel-"$K"-x86_64/module/"${name%%.ko*}".ko* >/dev/null 2>&1 || wrong "$name belongs to no module of dkms"
done
for source in /var/lib/dkms/*/*/source; do
	[ ! -L "$source" ] || [ -e "$source" ] || wrong "$source dangles"
done
`

// testPackages tries Debian's packages of DKMS modules, all of them or three, each once
// with the stock hooks and once with ours: where stock is right after a step, ours has
// to be.
func (s *stockwise) testPackages(t *testing.T) {
	base := s.Base().Fork(t, s.Scratch)
	s.WithKernels(t, base, "debian")
	base.Must(t, `sed -i 's/ main$/ main contrib non-free/' /etc/apt/sources.list && apt-get -qq update`)
	with := func(from lab.Root) lab.Root {
		r := from.Fork(t, s.Scratch)
		r.Must(t, "dpkg --unpack $headers1 $image1 && dpkg --configure -a", s.suite.Env()...)
		return r
	}
	stock, ours := with(base), with(s.InstallOurs(t, base))
	names := strings.Fields(base.Must(t, `apt-cache pkgnames | grep -e '-dkms$'; apt-cache rdepends dkms | sed -n 's/^ *|* *\(.*-dkms\)$/\1/p'`))
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return name == "dh-dkms" || s.stockwiseDir == "" && !slices.Contains(quickPackages(), name)
	})
	if named := strings.Fields(s.packages); len(named) > 0 {
		names = named
	}
	require.NotEmpty(t, names)
	t.Run("of", func(t *testing.T) {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s.comparePackage(t, name, stock, ours)
			})
		}
	})
}

// comparePackage plays the steps of one package twice.
func (s *stockwise) comparePackage(t *testing.T, name string, stock, ours lab.Root) {
	t.Helper()
	atStock, modules := s.playPackage(t, name, nil, stock)
	atOurs, _ := s.playPackage(t, name, modules, ours)
	one := result{kind: "Debian's packages", name: name, steps: len(atStock)}
	if len(modules) == 0 {
		one.name += " (stock builds nothing of it)"
	}
	for i := range atStock {
		step := fmt.Sprintf("step %d: ", i+1)
		for _, wrong := range atStock[i].wrong {
			one.stock = append(one.stock, step+wrong)
		}
		for _, wrong := range atOurs[i].wrong {
			one.ours = append(one.ours, step+wrong)
		}
		if len(atStock[i].wrong) == 0 {
			assert.Empty(t, atOurs[i].wrong, "stock is right after %s, ours is not\nstock:\n%s\nours:\n%s", s.packageSteps()[i], atStock[i].out, atOurs[i].out)
		}
	}
	s.report.add(one)
}

// playPackage plays the steps, and judges after each by the modules that have to be
// there: those given, or what the first step brings.
func (s *stockwise) playPackage(t *testing.T, name string, modules []string, from lab.Root) ([]played, []string) {
	t.Helper()
	r := from.Fork(t, s.Scratch)
	var ends []played
	for i, step := range s.packageSteps() {
		env := append(s.suite.Env(), "package="+name)
		out, exit := r.Run(t, lab.Prelude+stockwisePrelude()+"( "+step+" )", env...)
		if i == 0 && modules == nil {
			modules = strings.Fields(r.Must(t, `find "/lib/modules/$K/updates/" -name '*.ko*' 2>/dev/null | sed 's/.*\///; s/\.ko.*//' | sort || :`, env...))
		}
		there := modules
		if step == purgePackage {
			there = nil
		}
		judge, _ := r.Run(t, stockwisePrelude()+stockwiseJudge()+packageJudge, append(env, "modules="+strings.Join(there, " "))...)
		p := judged(judge)
		if exit != 0 {
			p.wrong = append(p.wrong, fmt.Sprintf("exit %d", exit))
		}
		p.out = out
		ends = append(ends, p)
	}
	return ends, modules
}

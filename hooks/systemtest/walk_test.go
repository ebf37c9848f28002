//go:build integration

package systemtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// walkSteps is how many steps a walk has for each style of kernel packages, and
// walkSeed where it begins, unless DKMS_HOOKS_WALK_STEPS and DKMS_HOOKS_WALK_SEED
// say otherwise.
const (
	walkSteps = 14
	walkSeed  = 1
)

// testWalk does one thing after another to two kernels, drawn by chance, and
// looks after each at what must hold whatever happened. The same seed draws the
// same steps. With DKMS_HOOKS_WALK_STOCK set the stock hooks go first, for
// comparison: their violations are counted.
func testWalk(t *testing.T, l lab) {
	steps, seed := number(t, "DKMS_HOOKS_WALK_STEPS", walkSteps), number(t, "DKMS_HOOKS_WALK_SEED", walkSeed)
	t.Run("of", func(t *testing.T) {
		for i, style := range styles() {
			t.Run(style, func(t *testing.T) {
				t.Parallel()
				draw := func() *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), uint64(i))) }
				if os.Getenv("DKMS_HOOKS_WALK_STOCK") != "" {
					w := walk{lab: l, root: l.stock.fork(t, l.scratch)}
					w.take(t, style, steps, draw(), func(string, []string) {})
					t.Logf("%s %s, stock: seed %d, %s", l.suite, style, seed, w)
				}
				w := walk{lab: l, root: l.ours.fork(t, l.scratch)}
				w.take(t, style, steps, draw(), func(out string, violations []string) {
					require.Empty(t, violations, "seed %d, last of these steps:\n%s\nits output:\n%s", seed, strings.Join(w.taken, "\n"), out)
				})
				t.Logf("%s %s: seed %d, %s", l.suite, style, seed, w)
			})
		}
	})
}

// walk is what was done to a root.
type walk struct {
	lab   lab
	root  root
	taken []string
	// bad counts the steps after which something did not hold, ends how often a
	// kernel had come to what.
	bad  int
	ends map[fortune]int
}

// String sums a walk up.
func (w walk) String() string {
	return fmt.Sprintf("%d steps, %d with a violation; kernels looked at with headers %d, without %d, gone %d",
		len(w.taken), w.bad, w.ends[present], w.ends[unbuilt], w.ends[gone])
}

// take takes the steps and tells of each that ends in a violation.
func (w *walk) take(t *testing.T, style string, steps int, draw *rand.Rand, tell func(out string, violations []string)) {
	t.Helper()
	w.ends = map[fortune]int{}
	w.lab.withKernels(t, w.root, style)
	for range steps {
		do := w.lab.step(draw)
		w.taken = append(w.taken, do)
		out, _ := w.root.run(t, prelude()+do+"\nmended", w.lab.env()...)
		var violations []string
		for _, kver := range []string{w.lab.kver, w.lab.otherKver()} {
			want, found := w.lab.violations(t, w.root, kver)
			violations = append(violations, found...)
			w.ends[want]++
		}
		if len(violations) > 0 {
			w.bad++
			tell(out, violations)
		}
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	if os.Getenv(name) == "" {
		return otherwise
	}
	n, err := strconv.Atoi(os.Getenv(name))
	require.NoError(t, err, name)
	return n
}

// step draws what happens next, to one of the kernels or to both.
func (l lab) step(draw *rand.Rand) string {
	one := func(words ...string) string { return words[draw.IntN(len(words))] }
	k, image, headers := "$K", one("$image1", "$image2"), one("$headers1", "$headers2")
	if draw.IntN(3) == 0 {
		k, image, headers = "$OTHER", "$otherimage", "$otherheaders"
	}
	install := "dpkg -i --force-depends "
	remove := one("dpkg -r", "dpkg -P") + " --force-depends "
	damage := one(
		"rm -rf /lib/modules/"+k+"/updates",
		"rm -f /var/lib/dkms/*/kernel-"+k+"-*",
		"rm -rf /var/lib/dkms/alpha/1.0/"+k,
		"rm -rf /var/lib/dkms/*/*/"+k+"/*/module",
		"find /lib/modules/"+k+"/updates -name 'alpha.ko*' -exec truncate -s 0 {} +",
		"find /var/lib/dkms/beta/1.0/"+k+" -name '*.ko*' -exec truncate -s 0 {} +",
		"rm -f /lib/modules/"+k+"/modules.*",
		"mkdir -p /var/lib/dkms/alpha/1.0/"+k+"/.tmp_x86_64_walked/module",
		": >/var/lib/dkms/depmod-pending-"+k+"-x86_64",
		"ln -sfn 0.9/"+k+"/x86_64 /var/lib/dkms/beta/kernel-"+k+"-x86_64",
	)
	return one(
		install+headers+" "+image,
		install+headers+" "+image,
		install+image,
		install+headers,
		"dpkg --unpack --force-depends "+image+" "+headers+"; dpkg --configure -a --force-depends",
		"dpkg --unpack --force-depends "+headers+"; dpkg --configure -a --force-depends",
		"apt install --reinstall "+image+" "+headers,
		remove+"linux-image-"+k,
		remove+"linux-headers-"+k,
		remove+"linux-headers-"+k+" linux-image-"+k,
		remove+"linux-image-$K linux-image-$OTHER",
		"apt "+one("remove", "purge")+" linux-image-"+k+" linux-headers-"+k,
		"fails prerm remove; "+remove+"linux-image-"+k,
		"fails preinst; "+install+image,
		"fails postrm "+one("upgrade", "upgrade failed-upgrade", "remove")+"; "+install+image+"; mended; "+remove+"linux-image-"+k,
		"fails postinst configure; "+install+image+"; mended; dpkg --configure -a --force-depends",
		"kills prerm "+one("remove", "upgrade")+"; "+one(remove+"linux-image-"+k, install+image)+"; mended; dpkg --configure -a --force-depends; "+install+image,
		"kills prerm remove; "+remove+"linux-image-"+k+"; mended; dpkg --configure -a --force-depends",
		"kills "+one("postinst configure", "postrm remove")+"; "+one(remove+"linux-image-"+k, install+image)+"; mended; dpkg --configure -a --force-depends; "+install+image+" "+headers,
		"echo linux-image-"+k+" "+one("hold", "deinstall", "install", "purge")+" | dpkg --set-selections; "+install+"--force-hold "+image,
		damage+"; dkms-hooks reconcile",
		damage+"; "+install+image,
		damage+"; "+remove+"linux-image-"+k,
		"/etc/kernel/prerm.d/dkms "+k,
		"dkms-hooks run prerm "+k+" --params remove; dkms-hooks reconcile",
	)
}

// violations says what a kernel must have come to and what does not hold of it: no registration is lost; a
// kernel that is there with its headers has every module, loadable; one that is
// gone has nothing, and nothing half-done is left of either.
func (l lab) violations(t *testing.T, r root, kver string) (fortune, []string) {
	t.Helper()
	is := func(path string) bool {
		_, err := os.Stat(r.path(path))
		return err == nil
	}
	got := look(t, r, kver, goodModules()...)
	want := unbuilt
	switch {
	case !is("lib/modules/"+kver+"/kernel") && !is("boot/vmlinuz-"+kver):
		want = gone
	case is("lib/modules/"+kver+"/kernel") && is("usr/src/linux-headers-"+kver+"/include"):
		want = present
	}
	var violations []string
	if want == unbuilt { // without headers, what was built before may be there or not
		for name, m := range got.modules {
			if !m.registered {
				violations = append(violations, name+" is not registered")
			}
		}
	} else {
		violations = want.wrong("", got)
	}
	for _, pattern := range []string{
		"var/lib/dkms/*/*/.unbuild-" + kver, "var/lib/dkms/*/*/.spare-" + kver, "var/lib/dkms/*/*/" + kver + "/.tmp_*", "var/lib/dkms/depmod-pending-" + kver + "-x86_64",
		"var/lib/dkms/*/.dkms-hooks*", "lib/modules/" + kver + "/updates/dkms/.*",
	} {
		left, err := filepath.Glob(r.path(pattern))
		require.NoError(t, err)
		for _, path := range left {
			violations = append(violations, strings.TrimPrefix(path, r.dir)+" is left")
		}
	}
	if want == gone && is("lib/modules/"+kver) && !is("usr/src/linux-headers-"+kver) {
		violations = append(violations, "/lib/modules/"+kver+" is left")
	}
	for i, v := range violations {
		violations[i] = fmt.Sprintf("%s: %s", kver, v)
	}
	return want, violations
}

//go:build integration

package systemtest

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// testByHand runs the hooks as people do, and as nobody should.
func testByHand(t *testing.T, l suite) {
	from := l.whole("debian")
	env := "K=" + l.Kver
	whole := ending{image: "install ok installed", modules: present, kept: true}
	before := look(t, from.settled, l.Kver, goodModules()...)

	t.Run("prerm of a kernel that a package owns keeps", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		out := r.Must(t, `/etc/kernel/prerm.d/dkms "$K"`, env)
		whole.check(t, before, end{kernel: look(t, r, l.Kver, goodModules()...)}, out)
	})
	t.Run("dry runs change nothing", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		listing := snapshot(t, r)
		for _, call := range []string{
			`dkms-hooks run prerm "$K" --params remove --dry-run`,
			`dkms-hooks run postinst "$K" --dry-run`,
			`dkms-hooks run header_postinst "$K" --dry-run`,
			`dkms-hooks run prerm --dry-run --params "upgrade 2" "$K"`,
		} {
			r.Must(t, call, env)
		}
		assert.Equal(t, listing, snapshot(t, r))
	})
	t.Run("what is no kernel release is refused", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		listing := snapshot(t, r)
		for _, hook := range []string{"postinst", "header_postinst", "prerm"} {
			for _, kver := range []string{``, `''`, `..`, `../..`, `/`, `6.1/../x`, `-h`, `--help`, `'6.1 2'`, `'6.1;id'`, "'6.1\n'", `.`, `$(printf '6.1\377')`, `*`} {
				call := "/etc/kernel/" + hook + ".d/dkms " + kver
				out, exit := r.Run(t, call)
				assert.Equal(t, 2, exit, "%s\n%s", call, out)
			}
		}
		assert.Equal(t, listing, snapshot(t, r))
	})
	t.Run("a .ko that is gone or differs is installed again", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		r.Must(t, `cd /lib/modules/$K/updates/dkms && rm alpha.ko* && for f in acpi_call.ko*; do echo spoilt >$f; done`, env)
		out := r.Must(t, `/etc/kernel/postinst.d/dkms "$K"`, env)
		whole.check(t, before, end{kernel: look(t, r, l.Kver, goodModules()...)}, out)
		r.Must(t, `for f in /lib/modules/$K/updates/dkms/*.ko*; do n=${f##*/}; cmp $f /var/lib/dkms/*/*/$K/*/module/$n; done`, env)
	})
	t.Run("modules.dep that lacks them is made again", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		r.Must(t, `cd /lib/modules/$K && : >modules.dep && rm modules.dep.bin`, env)
		out := r.Must(t, `/etc/kernel/header_postinst.d/dkms "$K"`, env)
		whole.check(t, before, end{kernel: look(t, r, l.Kver, goodModules()...)}, out)
	})
	t.Run("headers that are missing are named", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		r.Must(t, `dpkg -r --force-depends linux-headers-$K && dkms-hooks run prerm $K --params remove`, env)
		out := r.Must(t, `/etc/kernel/postinst.d/dkms "$K"`, env)
		assert.Contains(t, out, "linux-headers-"+l.Kver)
	})
	t.Run("a kernel that is not there is waited for", func(t *testing.T) {
		assertIdle(t, from.settled.Fork(t, l.Scratch), `/etc/kernel/header_postinst.d/dkms 9.9-none`)
	})
}

// snapshot lists every file of a root with its size, times and link, the
// directories that the kernel makes up and the given ones left out. The size of a
// directory says nothing: it differs once an overlay has copied it.
func snapshot(t *testing.T, r lab.Root, without ...string) string {
	t.Helper()
	args := []string{r.Dir, "-xdev"}
	for _, dir := range append(without, "proc") {
		args = append(args, "-path", r.Path(dir), "-prune", "-o")
	}
	out, err := exec.Command("find", append(args, "-type", "d", "-printf", `%P d %m %T@\n`, "-o", "-printf", `%P %y %s %m %T@ %l\n`)...).Output()
	require.NoError(t, err)
	require.Greater(t, strings.Count(string(out), "\n"), 1000)
	return string(out)
}

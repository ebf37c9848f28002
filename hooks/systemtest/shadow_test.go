//go:build integration

package systemtest

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
)

// testShadow makes depmod prefer another file to that of DKMS. It is named with the line that
// decides, no run runs depmod for it, and the line stays in force.
func testShadow(t *testing.T, l suite) {
	from := l.whole("builddeb").settled
	env := l.Env()
	const conf = "mkdir -p /etc/depmod.d /usr/lib/depmod.d /etc/modprobe.d; cd /lib/modules/$K; "
	const choose = "eval \"$(dkms-hooks check | sed -n 's/.*to load the module of dkms: //p')\" && "
	const extra = conf + "mkdir -p extra kernel/lab; cp updates/dkms/alpha.ko* extra; cp updates/dkms/alpha.ko* kernel/lab; "
	for _, row := range []struct {
		name, make string
		// loads is the directory of the file that is loaded, "" for none. says is what check
		// prints, and code its exit status.
		loads, says string
		code        int
	}{
		{"a copy that depmod does not prefer", extra, "updates/dkms", "", 0},
		{"override", extra + "printf '#\noverride alpha * extra\n' >/etc/depmod.d/mine.conf", "extra",
			`unusual: alpha/1.0 on .*: another file is loaded in its place: /lib/modules/.*/extra/alpha\.ko\S*, because of "override alpha \* extra" in /etc/depmod.d/mine.conf line 2\n`, 0},
		{"override for one kernel", extra + `echo "override alpha ^$(echo $K | sed 's/[.+]/[&]/g')\$ extra" >/etc/depmod.d/mine.conf`, "extra", `because of "override alpha \^.* extra" in /etc/depmod.d/mine.conf line 1\n`, 0},
		{"override that does not match the kernel", extra + "echo 'override alpha 5.4.0 extra' >/etc/depmod.d/mine.conf", "updates/dkms", "", 0},
		{"the kernel's own", extra + "echo 'override alpha * kernel/lab' >/etc/depmod.d/mine.conf", "kernel/lab", `in its place: /lib/modules/.*/kernel/lab/alpha\.ko\S*, because of `, 0},
		{"search", extra + "echo 'search extra updates built-in' >/etc/depmod.d/a.conf", "extra", `because of "search extra updates built-in" in /etc/depmod.d/a.conf line 1\n`, 0},
		{"a line that a file of the same name hides", extra + "echo 'override alpha * extra' >/usr/lib/depmod.d/a.conf; ln -s /dev/null /etc/depmod.d/a.conf", "updates/dkms", "", 0},
		{"a line of a package", extra + "echo 'override alpha * extra' >/usr/lib/depmod.d/theirs.conf", "extra", `shadowed: alpha/1.0 on .*, because of "override alpha \* extra" in /usr/lib/depmod.d/theirs.conf line 1\n  fix: .*rm /lib/modules/.*`, 1},
		{"blacklist and install", conf + "printf 'blacklist alpha\ninstall beta /bin/false\n' >/etc/modprobe.d/mine.conf", "updates/dkms",
			`unusual: alpha/1.0: alpha is not loaded automatically, because of "blacklist alpha" in /etc/modprobe.d/mine.conf line 1\nunusual: beta/1.0: .*"install beta /bin/false" in /etc/modprobe.d/mine.conf line 2\n`, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := from.Fork(t, l.Scratch)
			defer r.Drop()
			r.Must(t, row.make+"\ndepmod $K", env...)
			loads := r.Must(t, "modinfo -k $K -n alpha", env...)
			assert.Regexp(t, "/"+regexp.QuoteMeta(l.Kver)+"/"+row.loads+"/alpha\\.ko", loads)
			const state = "stat -c %z /lib/modules/$K/modules.dep.bin; find /etc/depmod.d /usr/lib/depmod.d /etc/modprobe.d -type f -exec cat {} +"
			before := r.Must(t, state, env...)
			out, code := r.Run(t, "dkms-hooks check")
			assert.Equal(t, row.code, code, out)
			assert.Regexp(t, row.says, out)
			assert.NotContains(t, out, "modules.dep")
			if row.says == "" {
				assert.NotContains(t, out, "alpha")
			}
			for _, command := range []string{"check --repair", "reconcile", "run postinst $K", "reconcile"} {
				out, _ := r.Run(t, "dkms-hooks "+command, env...)
				assert.NotContains(t, out, "depmod for", command)
			}
			assert.Equal(t, before, r.Must(t, state, env...), "nothing runs depmod")
			if row.loads == "updates/dkms" {
				return
			}
			if row.code != 0 {
				assert.NotContains(t, r.Must(t, choose+"dkms-hooks check", env...), "alpha", "the command that is printed helps")
			}
			r.Must(t, "rm -f /etc/depmod.d/* /usr/lib/depmod.d/theirs.conf; dkms-hooks reconcile", env...)
			assert.Regexp(t, "/updates/dkms/alpha\\.ko", r.Must(t, "modinfo -k $K -n alpha", env...), "without the line depmod is run")
			assert.Contains(t, r.Must(t, "dkms-hooks check"), "no problems found")
		})
	}
	t.Run("two files in updates", func(t *testing.T) {
		shadowed := 0
		for _, search := range []string{"updates built-in", "built-in updates"} { // the last file that is read wins, and the first one
			r := from.Fork(t, l.Scratch)
			r.Must(t, conf+"cp updates/dkms/alpha.ko* updates; echo search "+search+" >/etc/depmod.d/a.conf; rm -f /usr/lib/depmod.d/*; depmod $K", env...)
			_, other := r.Run(t, "modinfo -k $K -n alpha | grep updates/dkms/", env...)
			out, code := r.Run(t, "dkms-hooks check")
			assert.Equal(t, other, code, out)
			shadowed += code
			if code == 0 {
				continue
			}
			assert.Regexp(t, `shadowed: alpha/1.0 on .*: another file is loaded in its place: /lib/modules/.*/updates/alpha\.ko\S*; no line of depmod.d\(5\) decides between them\n`, out)
			assert.NotContains(t, r.Must(t, choose+"dkms-hooks check", env...), "alpha", "the command that is printed helps")
		}
		assert.Equal(t, 1, shadowed)
	})
	t.Run("the kernel is upgraded", func(t *testing.T) { // its package contains a modules.dep
		r := from.Fork(t, l.Scratch)
		r.Must(t, extra+"echo 'override alpha * extra' >/etc/depmod.d/mine.conf; depmod $K; dpkg -i $image2", env...)
		assert.Regexp(t, `/extra/alpha\.ko\S*\n.*/updates/dkms/beta\.ko`, r.Must(t, "modinfo -k $K -n alpha; modinfo -k $K -n beta", env...))
		out := r.Must(t, "dkms-hooks check")
		assert.Regexp(t, `unusual: alpha/1.0 on .*/extra/alpha\.ko\S*, because of`, out)
	})
	t.Run("moved", func(t *testing.T) { // dkms installs no file that the kernel has elsewhere
		r := from.Fork(t, l.Scratch)
		r.Must(t, conf+"mkdir extra; mv updates/dkms/alpha.ko* extra; depmod $K", env...)
		out := r.Must(t, "dkms-hooks check --repair; dkms-hooks run postinst $K; dkms-hooks check", env...)
		assert.Regexp(t, `unusual: alpha/1.0 on .*: another file is loaded in its place: /lib/modules/.*/extra/alpha\.ko\S*; alpha\.ko\S* is not in updates/dkms\nno problems found`, out)
		assert.Regexp(t, "/extra/alpha\\.ko", r.Must(t, "modinfo -k $K -n alpha", env...), "it stays there")
	})
	t.Run("excluded", func(t *testing.T) {
		r := from.Fork(t, l.Scratch)
		r.Must(t, conf+"echo 'exclude dkms' >/etc/depmod.d/x.conf; depmod $K", env...)
		if _, code := r.Run(t, "modinfo -k $K alpha", env...); code == 0 {
			t.Skip("this depmod knows no exclude")
		}
		out, code := r.Run(t, "dkms-hooks check --repair")
		assert.Equal(t, 0, code, out)
		assert.Contains(t, out, "running depmod")
		assert.Regexp(t, `unusual: alpha/1.0 on .*: depmod does not read /lib/modules/.*/alpha\.ko\S*, because of "exclude dkms" in /etc/depmod.d/x.conf line 1\n`, out)
		out = r.Must(t, "dkms-hooks check --repair; dkms-hooks run postinst $K", env...)
		assert.NotContains(t, out, "running depmod")
		out = r.Must(t, "rm /etc/depmod.d/x.conf; dkms-hooks reconcile; dkms-hooks check", env...)
		assert.Contains(t, out, "running depmod")
		assert.Contains(t, out, "no problems found")
	})
}

//go:build integration

package systemtest

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
)

// newVersion makes /srv/new.deb, a newer version of acpi-call-dkms, whose source is changed by
// a command that runs in its directory.
func newVersion(change string) string {
	return `rm -rf /srv/x && dpkg-deb -R /debs/acpi-call-dkms_*.deb /srv/x && cd /srv/x && v=$(ls usr/src) && v=${v#acpi-call-} &&
mv usr/src/acpi-call-$v usr/src/acpi-call-99.9 && sed -i "s/$v/99.9/g" DEBIAN/postinst DEBIAN/prerm usr/src/acpi-call-99.9/dkms.conf &&
sed -i 's/^Version:.*/Version: 99.9-1/' DEBIAN/control && rm -f DEBIAN/md5sums && (cd usr/src/acpi-call-99.9 && ` + change + `) && cd / &&
dpkg-deb -Zgzip -z1 -b /srv/x /srv/new.deb >/dev/null && `
}

// newRevision makes /srv/new.deb, a newer revision of acpi-call-dkms with the same version of the
// module, whose source is changed by a command that runs in its directory.
func newRevision(change string) string {
	return `rm -rf /srv/x && dpkg-deb -R /debs/acpi-call-dkms_*.deb /srv/x && cd /srv/x/usr/src/acpi-call-* && (` + change + `) && cd /srv/x &&
sed -i 's/^Version: .*/&+new/' DEBIAN/control && rm -f DEBIAN/md5sums && cd / && dpkg-deb -Zgzip -z1 -b /srv/x /srv/new.deb >/dev/null && `
}

// testModuleUpgrade upgrades the package of a module: a version that does not compile is
// reported, now and later, and one that does is installed.
func testModuleUpgrade(t *testing.T, l suite) {
	from := l.whole("builddeb").settled
	env := l.Env()
	t.Run("to one that does not compile", func(t *testing.T) {
		l.turns.need(t, 0)
		r := from.Fork(t, l.Scratch)
		r.Must(t, "dkms-hooks reconcile", env...)
		out, _ := r.Run(t, newVersion("echo '#error does not compile' >>acpi_call.c")+"dpkg -i /srv/new.deb; dkms-hooks status", env...)
		assert.Contains(t, out, "acpi_call.c", "what the compiler says")
		newer := func() moduleOverview { return statusOf(t, r).on(t, l.Kver).module(t, "acpi-call/99.9") }
		failed := newer()
		assert.Equal(t, "added, failed", failed.State+", "+failed.Last.Result)
		log := r.Must(t, "dkms-hooks log $K acpi-call", env...)
		assert.Contains(t, log, "does not compile")
		out = r.Must(t, "dpkg --configure -a; dpkg-trigger --by-package=dkms dkms-hooks-reconcile && dpkg --triggers-only -a", env...)
		assert.Equal(t, failed.Last.When, newer().Last.When, "it is not tried in vain")
		assert.Contains(t, out, "acpi-call/99.9", "it is reported until it is fixed")
	})
	t.Run("to a revision that does not compile", func(t *testing.T) {
		l.turns.need(t, 1)
		for name, run := range map[string]string{
			"alone":        "dpkg -i /srv/new.deb",
			"with our own": repack("/srv/dkms-hooks.deb", ":") + "dpkg -i /srv/new.deb /srv/module.deb",
		} {
			r := from.Fork(t, l.Scratch)
			r.Must(t, "dkms-hooks reconcile", env...)
			r.Run(t, newRevision("echo '#error does not compile' >>acpi_call.c")+"cp /srv/new.deb /srv/module.deb; "+run, env...)
			assert.Contains(t, r.Must(t, "dkms-hooks log $K acpi-call", env...), "does not compile", name)
			assert.Contains(t, r.Must(t, "dkms-hooks check || :", env...), "failed: acpi-call/", name)
		}
	})
	t.Run("to a revision, of a module that was uninstalled", func(t *testing.T) {
		l.turns.need(t, 1)
		r := from.Fork(t, l.Scratch)
		r.Must(t, "dkms-hooks reconcile; v=$(ls /var/lib/dkms/acpi-call | grep -v kernel-); dkms uninstall acpi-call/$v -k $K && dkms-hooks reconcile", env...)
		r.Run(t, newRevision("echo '#error does not compile' >>acpi_call.c")+"dpkg -i /srv/new.deb", env...)
		assert.Contains(t, r.Must(t, "dkms-hooks check || :", env...), "missing: acpi-call/", "it is tried by its package alone")
	})
	t.Run("to one that compiles", func(t *testing.T) {
		l.turns.need(t, 1)
		r := from.Fork(t, l.Scratch)
		r.Must(t, "dkms-hooks reconcile", env...)
		out := r.Must(t, newVersion(":")+"dpkg -i /srv/new.deb; dkms status", env...)
		assert.Regexp(t, `acpi-call[/, ]+99\.9, `+regexp.QuoteMeta(l.Kver)+`, \S+: installed`, out)
	})
}

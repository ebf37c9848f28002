//go:build integration

package systemtest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// holdPrelude prepares a root in which unattended-upgrade(8) reboots as soon as a package asks for
// it: alpha cannot be built, and needy is a package that asks for a reboot when it is configured, as
// dbus does. What would reboot the machine writes a line.
const holdPrelude = `set -e
mkdir -p /lib/modules/$(uname -r) /srv/repo
for deb in /debs/tools/unattended-upgrades/*.deb; do dpkg-deb -x $deb /; done
printf '#!/bin/sh\necho "shutdown $*" >>/srv/rebooted\n' >/sbin/shutdown; chmod 755 /sbin/shutdown
printf '#!/bin/sh\ntouch /run/reboot-required; echo needy >>/run/reboot-required.pkgs\n' >/srv/postinst
for version in 1 2 3 4; do
	mkdir -p /srv/needy/DEBIAN; cp /srv/postinst /srv/needy/DEBIAN; chmod 755 /srv/needy/DEBIAN/postinst
	printf 'Package: needy\nVersion: %s\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: asks for a reboot\n' $version >/srv/needy/DEBIAN/control
	dpkg-deb -b /srv/needy /srv/needy_$version.deb
done
dpkg -i /srv/needy_1.deb; rm -f /run/reboot-required*
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
printf 'Unattended-Upgrade::Origins-Pattern { "archive=*"; };\nUnattended-Upgrade::Automatic-Reboot "true";\n' >/etc/apt/apt.conf.d/52test
printf 'Required: alpha\n' >/etc/dkms-hooks.conf
sed -i 1i\#error /usr/src/alpha-1.0/alpha.c
dkms unbuild alpha/1.0 -k $K
`

// upgrade has unattended-upgrade(8) install a version of needy.
const upgrade = `upgrade() {
	cp /srv/needy_$1.deb /srv/repo/; (cd /srv/repo && dpkg-scanpackages -m . >Packages)
	apt-get -q update && unattended-upgrade -v
	[ "$(dpkg-query -W -f '${Version}' needy)" = $1 ]
}
set -e
`

// testHold shows that no machine reboots by itself into a kernel without a required module.
func testHold(t *testing.T, l suite) {
	k := l.needQuick(t, "that is built in a second")
	env := []string{"K=" + k.kver}
	r := l.small(t).Fork(t, l.Scratch)
	r.Must(t, holdPrelude, env...)
	const asked, rebooted, held = `test -e /run/reboot-required`, `test -e /srv/rebooted`, `grep -qx needy /run/dkms-hooks/reboot-required.pkgs`
	is := func(r lab.Root, script string) bool {
		_, code := r.Run(t, script)
		return code == 0
	}

	out := r.Must(t, upgrade+"upgrade 2", env...)
	assert.True(t, is(r, rebooted) && is(r, asked), "by default it is as with the stock hooks\n%s", out)

	out = r.Must(t, upgrade+`rm /srv/rebooted; echo 'Hold-Reboot: yes' >>/etc/dkms-hooks.conf; upgrade 3`, env...)
	assert.False(t, is(r, rebooted), out)
	assert.False(t, is(r, asked), out)
	assert.True(t, is(r, held), out)
	assert.Contains(t, r.Must(t, "cat /var/lib/dkms-hooks/notice"), "no automatic reboot while alpha will not load on "+k.kver)
	out, _ = r.Run(t, "dkms-hooks status --json")
	assert.Contains(t, out, `"reboot_held": {`)

	gone := r.Fork(t, l.Scratch)
	out = gone.Must(t, "dpkg -r dkms-hooks && "+asked+" && grep -x needy /run/reboot-required.pkgs && dpkg -P dkms-hooks && [ ! -e /run/dkms-hooks ]")
	assert.Contains(t, out, "the reboot is no longer held")

	out = r.Must(t, upgrade+`sed -i 1d /usr/src/alpha-1.0/alpha.c; dkms-hooks check --repair || :; dkms-hooks history; `+asked+`; upgrade 4`, env...)
	assert.True(t, is(r, rebooted) && is(r, asked), out)
	assert.Contains(t, out, "the reboot is no longer held: /run/reboot-required is back")
	assert.Regexp(t, `held +remind +alpha will not load on \S+ .newest kernel., and /run/reboot-required is set aside`, out)
	assert.Regexp(t, `released +reconcile by hand`, out)
}

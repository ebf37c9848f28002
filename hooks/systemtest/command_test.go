//go:build integration

package systemtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// testCommand is what people see of a system: how it is, what would be done, what is
// wrong, and what is being built.
func testCommand(t *testing.T, l suite) {
	from := l.whole("builddeb").settled
	env := l.Env()
	t.Run("all well", func(t *testing.T) {
		l.turns.need(t, 0)
		r := from.Fork(t, l.Scratch)
		out := r.Must(t, "dkms-hooks status && dkms-hooks check", env...)
		assert.Contains(t, out, l.Kver)
		kernel := statusOf(t, r).on(t, l.Kver)
		assert.True(t, kernel.Newest && kernel.Complete, "%+v", kernel)
		assert.Equal(t, "present", kernel.Headers)
		alpha := kernel.module(t, "alpha/1.0")
		assert.Equal(t, "installed, fresh", alpha.State+", "+alpha.Freshness)
		assert.Empty(t, r.Must(t, "dkms-hooks --quiet status; dkms-hooks -q check; dkms-hooks -q reconcile; dkms-hooks -q run postinst $K", env...))
	})
	// A hook that runs before ours sees what ours is going to see.
	t.Run("explained as dpkg removes", func(t *testing.T) {
		l.turns.need(t, 1)
		r := from.Fork(t, l.Scratch)
		before := r.Must(t, "dkms-hooks explain prerm $K --package linux-image-$K", env...)
		assert.Contains(t, before, "install ok installed")
		assert.Contains(t, before, "keep")
		out := r.Must(t, `printf '#!/bin/sh\nexec dkms-hooks explain prerm "$1"\n' >/etc/kernel/prerm.d/aaa && chmod 755 /etc/kernel/prerm.d/aaa && dpkg -r linux-image-$K`, env...)
		assert.Contains(t, out, "deinstall ok half-configured")
		assert.Contains(t, out, "unbuild alpha/1.0")
	})
	t.Run("broken and repaired", func(t *testing.T) {
		l.turns.need(t, 2)
		r := from.Fork(t, l.Scratch)
		out, code := r.Run(t, `truncate -s 0 /lib/modules/$K/updates/dkms/alpha.ko* && rm -r /var/lib/dkms/beta/1.0/$K && dkms remove acpi-call/$(ls /var/lib/dkms/acpi-call | grep ^[0-9]) --all >/dev/null
mkdir -p /var/lib/dkms/alpha/1.0/5.4.0-gone/x86_64/module && echo m >/var/lib/dkms/alpha/1.0/5.4.0-gone/x86_64/module/alpha.ko
sed -i 's/"kernels": *{/&"5.4.0-gone":{"unpacked":"seen"},/' /var/lib/dkms-hooks/record.json
dkms-hooks check`, env...)
		assert.Equal(t, 1, code)
		for _, line := range []string{
			"forgotten: acpi-call/", "broken: alpha/1.0 on " + l.Kver, "broken: beta/1.0 on " + l.Kver, "gone: 5.4.0-gone",
		} {
			assert.Contains(t, out, line)
		}
		out = r.Must(t, "dkms-hooks check --repair && dkms-hooks check && dkms-hooks status", env...)
		ending{image: installed, modules: present}.holds(t, look(t, r, l.Kver, goodModules()...), out)
	})
	t.Run("followed", func(t *testing.T) {
		l.turns.need(t, 3)
		r := from.Fork(t, l.Scratch)
		l.Make(t, "mkmodule", r.Dir, "slow", "1.0")
		// It is built until what it says is seen, at most a minute.
		appendTo(t, r.Path("usr/src/slow-1.0/Makefile"), `ifneq ($(filter %/Makefile.build,$(MAKEFILE_LIST)),)
$(shell echo a line of the build >&2; n=0; until grep -qsx "a line of the build" /srv/followed || [ $$((n += 1)) -gt 600 ]; do sleep 0.1; done)
endif
`)
		out := r.Must(t, `dkms-hooks run postinst $K & `+until(locked)+`; dkms-hooks log --follow >/srv/followed; wait $!
cat /srv/followed; dkms-hooks log; dkms-hooks log $K slow | sed s/^/kept:/; dkms-hooks log --follow`, env...)
		assert.Regexp(t, `(?m)/var/lib/dkms/slow/1\.0/.*make\.log`, out)
		assert.Regexp(t, `(?m)^a line of the build$`, out)
		assert.Regexp(t, `(?m)^kept:.*slow/1\.0`, out)
	})
}

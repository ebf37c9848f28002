//go:build integration

package systemtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// testFailure shows what a failure does and how long it is told of.
func testFailure(t *testing.T, l suite) {
	from := l.small(t)
	l.Make(t, "mkmodule", from.Dir, "bad", "1.0", "--broken")
	k := l.needQuick(t, "that is built in a second")
	env := []string{"K=" + k.kver, "image=" + k.in("image", "2")}
	image := func(r lab.Root) string {
		out, _ := r.Run(t, `dpkg-query -W -f '${Status}' linux-image-$K`, env...)
		return status(out)
	}
	configured := func(t *testing.T, config string, exit int) lab.Root {
		t.Helper()
		r := from.Fork(t, l.Scratch)
		r.Must(t, "printf '"+config+"' >/etc/dkms-hooks.conf")
		out, code := r.Run(t, "dpkg -i $image", env...)
		assert.Equal(t, exit, code, out)
		assert.Contains(t, out, "bad/1.0")
		assert.Equal(t, "failed", statusOf(t, r).on(t, k.kver).module(t, "bad/1.0").Last.Result, out)
		return r
	}
	t.Run("warn", func(t *testing.T) {
		assert.Equal(t, "installed", image(configured(t, "", 0)))
	})
	t.Run("strict", func(t *testing.T) {
		r := configured(t, `On-Failure: strict\n`, 1)
		assert.Equal(t, "half-configured", image(r))
		out := r.Must(t, "sed -i /#error/d /usr/src/bad-1.0/bad.c && dpkg --configure -a", env...)
		assert.Equal(t, "installed", image(r), out)
		assert.True(t, l.hasModule(t, r, "bad"), out)
	})
	t.Run("another is required", func(t *testing.T) {
		assert.Equal(t, "installed", image(configured(t, `Required: alpha beta\n`, 0)))
	})
	t.Run("required", func(t *testing.T) {
		r := configured(t, `Required: alpha\n bad\n`, 1)
		out := r.Must(t, "rm /etc/dkms-hooks.conf && dpkg --configure -a")
		assert.Equal(t, "installed", image(r), out)
	})
	t.Run("bad configuration", func(t *testing.T) {
		r := configured(t, `Required: bad\nStrict: yes\n`, 1)
		assert.Equal(t, "half-configured", image(r), "what is required stays in force")
	})
	t.Run("told until it is repaired", func(t *testing.T) {
		r := configured(t, "", 0)
		const printed = `head -n 1 /var/lib/dkms-hooks/notice`
		notice := r.Must(t, printed)
		assert.Contains(t, notice, "bad/1.0")
		assert.Contains(t, notice, k.kver)
		out := r.Must(t, "dpkg -i /debs/tools/pamtester/*.deb && pamtester login root open_session </dev/null", env...)
		_, out, _ = strings.Cut(out, "Setting up pamtester")
		assert.Equal(t, 2, strings.Count(out, notice), "at the end of a run of dpkg, and at a login\n%s", out)
		_, code := r.Run(t, "dkms-hooks status", env...)
		assert.Equal(t, 1, code)
		bad := statusOf(t, r).on(t, k.kver).module(t, "bad/1.0")
		assert.Equal(t, "added", bad.State)
		assert.Equal(t, "/var/log/dkms-hooks/"+k.kver+"/bad-1.0.log", bad.Last.Log)
		out = r.Must(t, "dpkg -i $image", env...)
		assert.Contains(t, out, r.Must(t, printed))
		out = r.Must(t, "sed -i /#error/d /usr/src/bad-1.0/bad.c && dkms install bad/1.0 -k $K && dpkg-reconfigure -f noninteractive pamtester && dpkg -r pamtester", env...)
		assert.NotContains(t, out, notice, "repaired by hand")
		r.Must(t, "dkms-hooks status && [ ! -e /var/lib/dkms-hooks/notice ]", env...)
	})
	t.Run("log of one kernel is not another's", func(t *testing.T) {
		r := configured(t, "", 0)
		r.Must(t, `cp -a /lib/modules/$K /lib/modules/$K-copy && cp /boot/vmlinuz-$K /boot/vmlinuz-$K-copy && dkms-hooks run postinst $K-copy
for k in $K $K-copy; do grep "bad/1.0 for $k, " /var/log/dkms-hooks/$k/bad-1.0.log && grep -q 'does not compile, as asked for' /var/log/dkms-hooks/$k/bad-1.0.log || exit 1; done`, env...)
	})
	t.Run("lock is not to be had", func(t *testing.T) {
		r := from.Fork(t, l.Scratch)
		r.Must(t, `printf 'Timeout: 1s\n' >/etc/dkms-hooks.conf; dkms unbuild beta/1.0 -k $K; dkms unbuild alpha/1.0 -k $K; dkms remove bad/1.0 --all`, env...)
		out := r.Must(t, `flock /var/lib/dkms-hooks/lock sleep 1000 & `+until(locked)+`; dpkg -i $image; s=$?; kill $!; exit $s`, env...)
		assert.Equal(t, "postponed", statusOf(t, r).on(t, k.kver).Unfinished, out)
		assert.Equal(t, "installed", image(r), out)
		assert.False(t, l.hasModule(t, r, "alpha"), out)
		r.Must(t, "rm /etc/dkms-hooks.conf")
		out = r.Must(t, "/etc/kernel/postinst.d/dkms 9.9.9; dkms-hooks reconcile; ls -A /var/lib/dkms-hooks/unfinished")
		assert.True(t, l.hasModule(t, r, "alpha") && l.hasModule(t, r, "beta"), "the next run does it, whatever its own kernel\n%s", out)
		assert.NotContains(t, out, "\n"+k.kver+"\n")
	})
}

// testRollBackShown is the story of a module that compiles for one ABI and not for
// the next: the kernel is built anew, the old build stays and is called stale; the
// headers are repaired, and one run makes it fresh.
func testRollBackShown(t *testing.T, l suite) {
	l.needBoots(t)
	k := l.needQuick(t, "with another ABI")
	r := l.witnesses(t, l.ours)
	env := l.copyKernel(t, r, k)
	r.Must(t, "dpkg -i $headers1 && dpkg -i $image1", env...)
	const files = "find /var/lib/dkms/witness/1.0/$K /lib/modules/$K/updates -type f -exec sha256sum {} + | sort"
	before := r.Must(t, files, env...)
	const header = "/usr/src/linux-headers-$K/include/linux/string.h"
	out := r.Must(t, "dpkg --unpack $headers3 && mv "+header+" /srv/ && dpkg -i $image3", env...)
	assert.Contains(t, out, "implicit declaration of ", "what the compiler says")
	assert.Equal(t, before, r.Must(t, files, env...), "byte for byte")
	witness := statusOf(t, r).on(t, k.kver).module(t, "witness/1.0")
	assert.Equal(t, "installed, stale, failed", witness.State+", "+witness.Freshness+", "+witness.Last.Result)
	assert.True(t, witness.Missing, "it is counted as missing")
	out, code := r.Run(t, "echo 'Required: witness' >/etc/dkms-hooks.conf; dkms-hooks run postinst $K", env...)
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "witness", "it is required")
	out = r.Must(t, "mv /srv/string.h "+header+" && dkms-hooks run postinst $K && dkms-hooks status", env...)
	witness = statusOf(t, r).on(t, k.kver).module(t, "witness/1.0")
	assert.Equal(t, "installed, fresh", witness.State+", "+witness.Freshness)
	assert.Equal(t, "witness loaded", l.Make(t, "bootjudge", r.Dir, k.kver, "witness"), out)
}

//go:build integration

package systemtest

import (
	"regexp"
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
	configured := func(t *testing.T, config string, exit int, says string) lab.Root {
		t.Helper()
		r := from.Fork(t, l.Scratch)
		r.Must(t, "printf '"+config+"' >/etc/dkms-hooks.conf")
		out, code := r.Run(t, "dpkg -i $image", env...)
		assert.Equal(t, exit, code, out)
		assert.Contains(t, out, says)
		assert.Contains(t, out, "failed: bad/1.0")
		return r
	}
	t.Run("warn", func(t *testing.T) {
		assert.Equal(t, "installed", image(configured(t, "", 0, "dkms-hooks: ")))
	})
	t.Run("strict", func(t *testing.T) {
		r := configured(t, `On-Failure: strict\n`, 1, "error: bad/1.0 failed, and On-Failure is strict")
		assert.Equal(t, "half-configured", image(r))
		out := r.Must(t, "sed -i /#error/d /usr/src/bad-1.0/bad.c && dpkg --configure -a", env...)
		assert.Equal(t, "installed", image(r), out)
		assert.True(t, l.hasModule(t, r, "bad"), out)
	})
	t.Run("another is required", func(t *testing.T) {
		assert.Equal(t, "installed", image(configured(t, `Required: alpha beta\n`, 0, "dkms-hooks: ")))
	})
	t.Run("required", func(t *testing.T) {
		r := configured(t, `Required: alpha\n bad\n`, 1, "bad is required by the configuration and is not installed")
		out := r.Must(t, "rm /etc/dkms-hooks.conf && dpkg --configure -a")
		assert.Equal(t, "installed", image(r), out)
	})
	t.Run("bad configuration", func(t *testing.T) {
		r := configured(t, `Required: bad\nStrict: yes\n`, 1, `/etc/dkms-hooks.conf: line 2: unknown field "Strict"`)
		assert.Equal(t, "half-configured", image(r), "what is required stays in force")
	})
	t.Run("told until it is repaired", func(t *testing.T) {
		r := configured(t, "", 0, "dkms-hooks: ")
		notice := "dkms-hooks: warning: bad/1.0 failed for " + k.kver + " (newest kernel) on "
		quoted := regexp.QuoteMeta(notice)
		out := r.Must(t, "dpkg -i /debs/tools/pamtester/*.deb && pamtester login root open_session </dev/null", env...)
		assert.Regexp(t, `(?s)Setting up pamtester.*`+quoted+`.*`+quoted, out, "at the end of a run of dpkg, and at a login")
		out, code := r.Run(t, "dkms-hooks status", env...)
		assert.Equal(t, 1, code)
		assert.Regexp(t, `(?m)^  bad/1\.0 +added +`, out)
		assert.Contains(t, out, "/var/log/dkms-hooks/"+k.kver+"/bad-1.0.log")
		out = r.Must(t, "dpkg -i $image", env...)
		assert.Regexp(t, `(?s)Setting up.*`+quoted, out)
		out = r.Must(t, "sed -i /#error/d /usr/src/bad-1.0/bad.c && dkms install bad/1.0 -k $K && dpkg-reconfigure -f noninteractive pamtester && dpkg -r pamtester", env...)
		assert.NotContains(t, out, notice, "repaired by hand")
		out = r.Must(t, "dkms-hooks status; ls /var/lib/dkms-hooks", env...)
		assert.NotContains(t, out, "notice")
	})
	t.Run("log of one kernel is not another's", func(t *testing.T) {
		r := configured(t, "", 0, "dkms-hooks: ")
		r.Must(t, `cp -a /lib/modules/$K /lib/modules/$K-copy && cp /boot/vmlinuz-$K /boot/vmlinuz-$K-copy && dkms-hooks run postinst $K-copy
for k in $K $K-copy; do grep "bad/1.0 for $k, " /var/log/dkms-hooks/$k/bad-1.0.log && grep -q 'does not compile, as asked for' /var/log/dkms-hooks/$k/bad-1.0.log || exit 1; done`, env...)
	})
	t.Run("lock is not to be had", func(t *testing.T) {
		r := from.Fork(t, l.Scratch)
		r.Must(t, `printf 'Timeout: 1s\n' >/etc/dkms-hooks.conf; dkms unbuild beta/1.0 -k $K; dkms unbuild alpha/1.0 -k $K; dkms remove bad/1.0 --all`, env...)
		out := r.Must(t, `flock /var/lib/dkms-hooks/lock sleep 1000 & `+until(locked)+`; dpkg -i $image; s=$?; kill $!; exit $s`, env...)
		assert.Contains(t, out, "waiting for another run of dkms-hooks (at most 1s)")
		assert.Contains(t, out, "postponed: another run of dkms-hooks holds the lock")
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
	assert.Contains(t, out, "rebuilding witness/1.0: stale, symbol module_layout differs")
	assert.Regexp(t, "failed: witness/1.0 for .*implicit declaration of ", out)
	assert.Contains(t, out, "the old build stays: ")
	assert.Equal(t, before, r.Must(t, files, env...), "byte for byte")
	status, code := r.Run(t, "dkms-hooks status", env...)
	assert.Equal(t, 1, code)
	assert.Regexp(t, "witness/1.0 +installed, stale +", status)
	out, code = r.Run(t, "echo 'Required: witness' >/etc/dkms-hooks.conf; dkms-hooks run postinst $K", env...)
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "witness is required by the configuration and does not fit the kernel")
	out = r.Must(t, "mv /srv/string.h "+header+" && dkms-hooks run postinst $K && dkms-hooks status $K", env...)
	assert.Regexp(t, "witness/1.0 +installed, fresh +", out)
	assert.Equal(t, "witness loaded", l.Make(t, "bootjudge", r.Dir, k.kver, "witness"), out)
}

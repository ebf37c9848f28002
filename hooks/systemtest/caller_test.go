//go:build integration

package systemtest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// testCaller shows what of a hook's caller reaches dkms, and what the programs that a
// hook starts may do: call the hooks again.
func testCaller(t *testing.T, l suite) {
	stockRoot := l.stock.Fork(t, l.Scratch)
	stockRoot.Must(t, oneModule)
	stock := l.settled(t, stockRoot, "debian").settled
	ours := l.whole("debian").settled
	const dump = `printf '#!/bin/sh\nenv >/var/tmp/env\n' >/usr/src/alpha-1.0/env.sh && chmod +x /usr/src/alpha-1.0/env.sh
echo 'PRE_BUILD="env.sh"' >>/usr/src/alpha-1.0/dkms.conf && dkms unbuild alpha/1.0 -k $K >/dev/null`

	t.Run("environment", func(t *testing.T) {
		vendors := []string{"KBUILD_SIGN_PIN=a b", "IGNORE_CC_MISMATCH=1", "KCFLAGS=-O1", "DEB_MAINT_PARAMS=configure", "https_proxy=http://proxy.invalid"}
		harmful := []string{"ARCH=arm64", "KERNELRELEASE=1", "MAKEFLAGS=-n", "KDIR=/x", "TMPDIR=/nonexistent", "BASH_ENV=/x", "POSIXLY_CORRECT=1", "XZ_OPT=--format=lzma", "_mv=x/1"}
		for name, r := range map[string]lab.Root{"stock": stock.Fork(t, l.Scratch), "ours": ours.Fork(t, l.Scratch)} {
			env := append(l.Env(), vendors...)
			if name == "ours" { // stock fails of them
				env = append(env, harmful...)
			}
			r.Must(t, dump, l.Env()...)
			out := r.Must(t, "/etc/kernel/postinst.d/dkms $K", env...)
			assert.Contains(t, r.Must(t, "modinfo -k $K -n alpha", l.Env()...), "/updates/dkms/alpha.ko", "%s\n%s", name, out)
			got := r.Must(t, "cat /var/tmp/env")
			for _, variable := range vendors {
				assert.Contains(t, got, variable+"\n", name)
			}
			for _, variable := range harmful {
				assert.NotContains(t, got, variable+"\n", name)
			}
		}
		r := ours.Fork(t, l.Scratch)
		r.Must(t, dump+` && printf 'Environment: VENDOR="a b"\n TMPDIR=/var/tmp\n' >/etc/dkms-hooks.conf && dkms-hooks run postinst $K`, l.Env()...)
		got := r.Must(t, "cat /var/tmp/env")
		assert.Contains(t, got, "VENDOR=a b\n")
		assert.Contains(t, got, "TMPDIR=/var/tmp\n", "who configures it insists")
	})

	t.Run("signing", func(t *testing.T) {
		r := ours.Fork(t, l.Scratch)
		r.Must(t, `dpkg -i /debs/tools/openssl/*.deb && mkdir -p /etc/dkms/framework.conf.d &&
openssl req -new -x509 -subj /CN=owner -newkey rsa:2048 -passout pass:secret -keyout /root/k.pem -outform DER -out /root/k.der &&
printf 'mok_signing_key=/root/k.pem\nmok_certificate=/root/k.der\n' >/etc/dkms/framework.conf.d/key.conf`)
		const again = `dkms unbuild alpha/1.0 -k $K >/dev/null; dkms-hooks run postinst $K; echo "exit $?"; modinfo -k $K alpha`
		out := r.Must(t, again, l.Env()...)
		assert.Contains(t, out, "exit 0\n", "stock installs it too")
		assert.NotContains(t, out, "signer:")
		out = r.Must(t, again, append(l.Env(), "KBUILD_SIGN_PIN=secret")...)
		assert.Regexp(t, `(?m)^signer: +owner$`, out)
		out = r.Must(t, "echo 'Environment: KBUILD_SIGN_PIN=secret' >/etc/dkms-hooks.conf;"+again, l.Env()...)
		assert.Regexp(t, `(?m)^signer: +owner$`, out)
	})

	// systemd-boot has such a hook: kernel-install(8), dkms's 40-dkms.install, our postinst.
	t.Run("hooks below a run", func(t *testing.T) {
		r := ours.Fork(t, l.Scratch)
		r.Must(t, `cp /lib/modules/$K/build/include/config/auto.conf /boot/config-$K # by which mkinitramfs knows how to compress
apt-get -qq install -y --no-install-recommends /debs/tools/initramfs-tools/*.deb /debs/tools/procps/*.deb
echo alpha >>/etc/initramfs-tools/modules
mkdir -p /etc/initramfs/post-update.d
printf '#!/bin/sh\n/etc/kernel/postinst.d/dkms $1 >>/var/tmp/nested 2>&1; echo "initramfs: $?" >>/var/tmp/nested\n[ ! -e /var/tmp/kill ] || { rm /var/tmp/kill; pkill -KILL -x dkms-hooks; }\n' >/etc/initramfs/post-update.d/nested
printf '#!/bin/sh\nupdate-initramfs -u -k $1\n/etc/kernel/postinst.d/dkms $1\nenv -i /etc/kernel/prerm.d/dkms $1\ndkms-hooks reconcile\necho "module: $?"\n' >/usr/src/alpha-1.0/nested.sh
chmod +x /etc/initramfs/post-update.d/nested /usr/src/alpha-1.0/nested.sh
echo 'POST_INSTALL="nested.sh $kernelver"' >>/usr/src/alpha-1.0/dkms.conf
update-initramfs -c -k $K >/dev/null && rm -f /var/tmp/nested`, l.Env()...)
		const remake = `dkms unbuild alpha/1.0 -k $K >/dev/null && dkms-hooks run postinst $K && dkms-hooks log $K alpha; cat /var/tmp/nested; rm /var/tmp/nested`
		out := r.Must(t, remake, l.Env()...)
		assert.Contains(t, out, "module: 0\n")
		assert.Contains(t, out, "initramfs: 0\n")
		assert.Empty(t, statusOf(t, r).on(t, l.Kver).Unfinished)

		// A run that is killed when the modules are done owes the initramfs, and nothing else.
		r.Run(t, `touch /var/tmp/kill; sed -i /POST_INSTALL/d /usr/src/alpha-1.0/dkms.conf; `+remake, l.Env()...)
		r.Must(t, `[ ! -e /var/tmp/kill ]`)
		const owed = `ls /var/lib/dkms-hooks/initramfs | grep -Fx "$K"`
		r.Must(t, owed, l.Env()...)
		left := statusOf(t, r).on(t, l.Kver)
		assert.Equal(t, []string{"", ""}, []string{left.Unfinished, left.Depmod})
		const dep = `stat -c %.Y /lib/modules/$K/modules.dep`
		before := r.Must(t, dep, l.Env()...)
		out = r.Must(t, "rm -f /var/tmp/nested; dkms-hooks reconcile; cat /var/tmp/nested")
		assert.Contains(t, out, "initramfs: 0\n")
		assert.Equal(t, before, r.Must(t, dep, l.Env()...), "depmod has run before")
		assert.Empty(t, statusOf(t, r).on(t, l.Kver).Unfinished)
		r.Must(t, "! "+owed, l.Env()...)
	})
}

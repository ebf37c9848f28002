//go:build integration

package systemtest

import "strings"

// machineScenarios: the machine brings its kernel, and the disk has build and updates of
// it alone, as under WSL2, Firecracker and by network.
func machineScenarios() []scenario {
	const kind = "kernels that the machine brings"
	// running lays the headers of K under the name of the kernel that runs.
	const running = `R=$(uname -r) && mkdir -p "/lib/modules/$R" && dpkg -i $headers1 && cp -a "/usr/src/linux-headers-$K" "/usr/src/linux-headers-$R" && cd "/usr/src/linux-headers-$R" &&
sed -i "s/\"$K\"/\"$R\"/" include/generated/utsrelease.h && { [ ! -e include/config/kernel.release ] || echo "$R" >include/config/kernel.release; } && ln -s "/usr/src/linux-headers-$R" "/lib/modules/$R/build" && depmod "$R" 2>/dev/null`
	const installed = running + ` && dkms install alpha/1.0 -k "$R"`
	const right = `R=$(uname -r); has alpha $R; builds alpha 1 $R; registered alpha 1.0`
	play := func(name string, quick bool, steps ...string) scenario {
		return scenario{kind: kind, name: name, from: fresh, stock: "all", quick: quick, steps: steps, right: right}
	}
	return []scenario{
		play("a package of another kernel comes and goes", true, installed, "unrelated"),
		play("another kernel is there and goes", false, "comes $OTHER", installed, "goes $OTHER"),
		play("the hook by hand", false, running, `byhand "$(uname -r)"`),
		play("the hook by hand, twice and later", false, running, `byhand "$(uname -r)"`, `byhand "$(uname -r)"`, "unrelated"),
		play("the hook of the headers by hand", false, running, `/etc/kernel/header_postinst.d/dkms "$(uname -r)"`),
		{kind: kind, name: "a kernel comes, and only that one is built for", from: fresh, stock: "all", steps: []string{installed, "comes $OTHER"}, right: right + "; has alpha $OTHER"},
		play("its lists of modules are empty files", false, running, `touch "/lib/modules/$(uname -r)/modules.order" "/lib/modules/$(uname -r)/modules.builtin"`, `byhand "$(uname -r)"`, "unrelated"),
	}
}

// headersScenarios: headers that were prepared on the machine are the kernel's.
func headersScenarios() []scenario {
	const kind = "headers prepared here"
	const prepared = `[ -n "$NOVERS" ] || skip 'for want of kernels: there is none without MODVERSIONS'
dpkg -i $(of $NOVERS headers) && cd /usr/src/linux-headers-$NOVERS && sed -i 's/^CONFIG_GCC_VERSION=.*/CONFIG_GCC_VERSION=99999/; s/^CONFIG_AS_VERSION=.*/CONFIG_AS_VERSION=99999/; s/^CONFIG_LD_VERSION=.*/CONFIG_LD_VERSION=99999/
s/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT="lab"/; s/^CONFIG_PAHOLE_VERSION=.*/CONFIG_PAHOLE_VERSION=999/; s/^CONFIG_RUSTC_VERSION=.*/CONFIG_RUSTC_VERSION=9/; /^CONFIG_CC_HAS_/d; /^CONFIG_AS_HAS_/d' include/config/auto.conf && echo CONFIG_CC_HAS_LAB=y >>include/config/auto.conf`
	// foreign is a module of another ABI among the kernel's own, first or last by name.
	foreign := func(dir string) string {
		return needsABI + `
mkdir -p "/lib/modules/$K/kernel/` + dir + `" && dpkg-deb -x $image3 /srv/three && cp "$(find /srv/three -name 'crc7.ko')" "/lib/modules/$K/kernel/` + dir + `/foreign.ko" && depmod $K && module late 1.0 --count`
	}
	const late = "has late; builds late 1; has alpha; builds alpha 1; configured"
	return []scenario{
		{kind: kind, name: "what Kconfig finds out about the tools differs, no MODVERSIONS", from: fresh, stock: "all", quick: true,
			steps: []string{prepared, "dpkg -i $(of $NOVERS image)"}, right: "has alpha $NOVERS; builds alpha 1 $NOVERS; configured $NOVERS"},
		{kind: kind, name: "the same, and the hook again", from: fresh, stock: "all",
			steps: []string{prepared, "dpkg -i $(of $NOVERS image)", "byhand $NOVERS", "unrelated"}, right: "has alpha $NOVERS; builds alpha 1 $NOVERS; configured $NOVERS"},
		{kind: kind, name: "the same, with MODVERSIONS", from: fresh, stock: "all",
			steps: []string{`dpkg -i $headers1 && sed -i 's/^CONFIG_GCC_VERSION=.*/CONFIG_GCC_VERSION=99999/' /usr/src/linux-headers-$K/include/config/auto.conf`, "dpkg -i $image1"}, right: "has alpha; builds alpha 1; configured"},
		{kind: kind, name: "options of drivers differ, no MODVERSIONS", from: fresh, stock: "all",
			steps: []string{`[ -n "$NOVERS" ] || skip 'for want of kernels: there is none without MODVERSIONS'; dpkg -i $(of $NOVERS headers) && printf 'CONFIG_LAB_DRIVER=m\nCONFIG_LOCALVERSION="-mine"\n' >>/usr/src/linux-headers-$NOVERS/include/config/auto.conf`, "dpkg -i $(of $NOVERS image)"},
			right: "has alpha $NOVERS; configured $NOVERS"},
		{kind: kind, name: "one module of another build is below kernel/", stock: "all", quick: true,
			steps: []string{foreign("zzz"), "byhand"}, right: late},
		{kind: kind, name: "one module of another build is below kernel/, the first by name", stock: "all",
			steps: []string{foreign("aaa"), "byhand", "unrelated"}, right: late},
		{kind: kind, name: "one module of another build is below kernel/, then it goes", stock: "all",
			steps: []string{foreign("zzz"), "byhand", `rm -r "/lib/modules/$K/kernel/zzz" && depmod $K`, "byhand", "unrelated"}, right: late},
		{kind: kind, name: "a module of another release is below kernel/", stock: "all",
			steps: []string{`comes $OTHER && mkdir -p "/lib/modules/$K/kernel/aaa" && cp "$(ko alpha $OTHER)" "/lib/modules/$K/kernel/aaa/foreign.ko" && goes $OTHER`, "module late 1.0", "byhand", "byhand"}, right: "has late; has alpha; builds alpha 1; configured"},
	}
}

// nestedScenarios: a hook that is called by what a run of the hooks has started.
func nestedScenarios() []scenario {
	const kind = "a hook below a hook"
	const right = "has calls; has alpha; builds calls 1; configured"
	// calls is a module one of whose scripts calls the kernel's hook. A limit stands
	// for ever: what waits for its own lock does not end in it.
	calls := func(script, call string) string {
		return `module calls 1.0 --count && printf '#!/bin/sh\n` + call + ` timeout 100 /etc/kernel/postinst.d/dkms "$1" || echo "$?" >>/var/tmp/waited\n' >/usr/src/calls-1.0/call.sh && chmod 755 /usr/src/calls-1.0/call.sh && echo '` + script + `="call.sh $kernelver"' >>/usr/src/calls-1.0/dkms.conf`
	}
	const waited = "; [ ! -e /var/tmp/waited ] || wrong 'the hook below did not end'"
	return []scenario{
		{kind: kind, name: "POST_INSTALL calls the kernel's hook", from: fresh, stock: "all", quick: true,
			steps: []string{calls("POST_INSTALL", ""), "comes $K"}, right: right + waited},
		{kind: kind, name: "POST_INSTALL calls the kernel's hook without an environment", from: fresh, stock: "all",
			steps: []string{calls("POST_INSTALL", "exec env -i PATH=$PATH"), "comes $K"}, right: right + waited},
		{kind: kind, name: "POST_INSTALL calls the kernel's hook in another session", from: fresh, stock: "all",
			steps: []string{calls("POST_INSTALL", "setsid -w"), "comes $K"}, right: right + waited},
		{kind: kind, name: "POST_INSTALL calls the hook of another kernel", stock: "all",
			steps: []string{calls("POST_INSTALL", `set -- '"$OTHER"';`), "dpkg -i $otherheaders && dpkg -i $otherimage", "byhand"}, right: right + waited},
		{kind: kind, name: "update-initramfs ends in the kernel's hook", from: fresh, stock: "all",
			steps: []string{updateInitramfs, "comes $K", "unrelated"}, right: "has alpha; builds alpha 1; configured; [ -s /var/tmp/initramfs ] || wrong 'no initramfs was made'" + waited},
		{kind: kind, name: "an initramfs that holds a module, whose making ends in the kernel's hook", from: fresh,
			steps: []string{updateInitramfs, "comes $K", ": >$(ko alpha) && byhand", "unrelated"}, right: "has alpha; builds alpha 1; configured" + waited},
	}
}

// updateInitramfs stands for initramfs-tools with systemd-boot: whatever makes an
// initramfs calls the kernel's hook at its end.
const updateInitramfs = `cat >/usr/sbin/update-initramfs <<'END'
#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" != -k ] || kver=$2; shift; done
[ -d "/lib/modules/$kver" ] || exit 0
echo "$kver" >>/var/tmp/initramfs
(cd / && find "lib/modules/$kver/updates/" -name '*.ko*' 2>/dev/null | cpio -o -H newc 2>/dev/null || :) >"/boot/initrd.img-$kver"
timeout 100 env -i PATH="$PATH" /etc/kernel/postinst.d/dkms "$kver" || echo "$?" >>/var/tmp/waited
END
chmod 755 /usr/sbin/update-initramfs && mkdir -p /etc/kernel/postinst.d && printf '#!/bin/sh\nexec update-initramfs -c -k "$1"\n' >/etc/kernel/postinst.d/initramfs-tools && chmod 755 /etc/kernel/postinst.d/initramfs-tools`

// placeScenarios: links and other mounts, where dkms installs and removes.
func placeScenarios() []scenario {
	const kind = "links and mounts"
	const there = "has alpha; has late; builds alpha 1; builds late 1; configured"
	const tmpfs = `mount -t tmpfs -o size=64m tmpfs `
	place := func(name, stock string, quick bool, prepare string) []scenario {
		prepare = prepare + " && module late 1.0 --count"
		return []scenario{
			{kind: kind, name: name + ": a kernel comes", from: fresh, stock: stock, quick: quick, steps: []string{prepare, "comes $K", "byhand", "unrelated"}, right: there},
			{kind: kind, name: name + ": a kernel comes and goes", from: fresh, stock: strings.ReplaceAll(stock, "all", "trixie"),
				steps: []string{prepare, "comes $K", "goes $K"},
				right: "unbuilt alpha; unbuilt late; registered alpha 1.0; registered late 1.0; [ -z \"$(find /srv/place /lib/modules/$K/updates/ -name '*.ko*' 2>/dev/null)\" ] || wrong 'modules are left'"},
		}
	}
	var all []scenario
	for _, p := range []struct {
		name  string
		stock string
		quick bool
		do    string
	}{
		{"the kernel's directory is a link", "all", false, "mkdir -p /srv/place /usr/lib/modules && ln -s /srv/place /lib/modules/$K"},
		{"updates is a link", "all", true, "mkdir -p /srv/place /lib/modules/$K && ln -s /srv/place /lib/modules/$K/updates"},
		{"updates is a link of a relative name", "all", false, "mkdir -p /srv/place /lib/modules/$K && ln -s ../../../../srv/place /lib/modules/$K/updates"},
		{"updates/dkms is a link", "all", false, "mkdir -p /srv/place /lib/modules/$K/updates && ln -s /srv/place /lib/modules/$K/updates/dkms"},
		{"/lib/modules is a link", "all", false, "mkdir -p /usr/lib/modules && mv /usr/lib/modules /srv/place && ln -s /srv/place /usr/lib/modules"},
		{"the tree of dkms is a link", "", false, "mv /var/lib/dkms /srv/place && ln -s /srv/place /var/lib/dkms"},
		{"the tree of one module is a link", "", false, "mv /var/lib/dkms/alpha /srv/place && ln -s /srv/place /var/lib/dkms/alpha"},
		{"updates is another mount", "all", false, "mkdir -p /lib/modules/$K/updates && " + tmpfs + "/lib/modules/$K/updates"},
		{"/lib/modules is another mount", "all", false, "mkdir -p /usr/lib/modules && " + tmpfs + "/usr/lib/modules"},
		{"the tree of dkms is another mount", "all", false, "cp -a /var/lib/dkms /srv/copy && " + tmpfs + "/var/lib/dkms && cp -a /srv/copy/. /var/lib/dkms/"},
		{"the tree of one module is another mount", "all", false, "cp -a /var/lib/dkms/alpha /srv/copy && " + tmpfs + "/var/lib/dkms/alpha && cp -a /srv/copy/. /var/lib/dkms/alpha/"},
		{"overlays whose lower directories no rename moves", "all", true, overlays},
		{"updates is on a file system without links", "all", false, fat},
	} {
		all = append(all, place(p.name, p.stock, p.quick, p.do)...)
	}
	return all
}

// overlays mounts overlays as a live system does, without redirect_dir: a directory of
// the lower layer cannot be renamed (EXDEV).
const overlays = `mkdir -p /srv/o /usr/lib/modules && ` + `mount -t tmpfs tmpfs /srv/o && for d in /var/lib/dkms /usr/lib/modules; do
	n=/srv/o$d && mkdir -p $n/lower $n/upper $n/work && cp -a $d/. $n/lower/ && mount -t overlay -o lowerdir=$n/lower,upperdir=$n/upper,workdir=$n/work,redirect_dir=off overlay $d || exit
done`

// fat mounts a FAT file system on updates, where the kernel has one.
const fat = `grep -qw vfat /proc/filesystems || skip 'this kernel has no vfat'
dpkg -i /debs/tools/dosfstools/*.deb && truncate -s 64M /srv/fat && mkfs.vfat /srv/fat >/dev/null && mkdir -p /lib/modules/$K/updates && mount -o loop /srv/fat /lib/modules/$K/updates`

//go:build integration

package systemtest

// unaskedScenarios: a kernel that nobody asked about stays as it is, in what it has and
// in what somebody took off.
func unaskedScenarios() []scenario {
	const kind = "kernels that nobody asked about"
	// The stock hooks of bookworm forget a module when another kernel's image is installed
	// again, so its ends are not known to be right where that is a step.
	other := []string{"unrelated", "dpkg -i $otherimage"}
	after := func(first ...string) []string { return append(first, other...) }
	const older = "module alpha 0.9 && dkms install alpha/0.9 -k $K --force"
	return []scenario{
		{kind: kind, name: "a module that is registered only, and one more kernel comes", from: two, stock: "all", quick: true,
			steps: []string{"module late 1.0 --count", "comes $THIRD"},
			right: "has late $THIRD; builds late 1 $THIRD; builds late 0 $K; builds late 0 $OTHER; unbuilt late $K; unbuilt late $OTHER; has alpha; has alpha $OTHER; has alpha $THIRD; configured $THIRD"},
		{kind: kind, name: "twelve kernels, and one more comes", from: two, stock: "all",
			steps: []string{manyKernels, "module late 1.0 --count", "comes $THIRD"},
			right: "has late $THIRD; builds late 1 $THIRD; [ $(wc -l </var/tmp/late.builds) -eq 1 ] || wrong 'late was compiled for kernels that nobody asked about'; configured $THIRD"},
		{kind: kind, name: "unbuilt by hand, then other things happen", from: two, stock: "trixie", quick: true,
			steps: after("dkms unbuild alpha/1.0 -k $K"), right: "unbuilt alpha; registered alpha 1.0; has alpha $OTHER; builds alpha 1; configured"},
		{kind: kind, name: "uninstalled by hand, then other things happen", from: two, stock: "trixie",
			steps: after("dkms uninstall alpha/1.0 -k $K"), right: "lacks alpha; registered alpha 1.0; has alpha $OTHER; builds alpha 1; configured"},
		{kind: kind, name: "removed from one kernel by hand, then other things happen", from: two, stock: "trixie",
			steps: after("dkms remove alpha/1.0 -k $K"), right: "unbuilt alpha; registered alpha 1.0; has alpha $OTHER; builds alpha 1; configured"},
		{kind: kind, name: "removed from dkms by hand, then other things happen", from: two, stock: "trixie",
			steps: after("dkms remove alpha/1.0 --all"), right: "unbuilt alpha; unbuilt alpha $OTHER; [ ! -L /var/lib/dkms/alpha/1.0/source ] || wrong 'alpha is registered again'; configured"},
		{kind: kind, name: "unbuilt by hand on two of two kernels, then other things happen", from: two, stock: "trixie",
			steps: after("for k in $K $OTHER; do dkms unbuild alpha/1.0 -k $k; done", "dkms-hooks reconcile || :"), right: "unbuilt alpha; configured"},
		{kind: kind, name: "unbuilt by hand, then the kernel's own hook", stock: "all",
			steps: []string{"dkms unbuild alpha/1.0 -k $K", "byhand"}, right: "has alpha; builds alpha 2; configured"},
		{kind: kind, name: "unbuilt by hand, then the image is installed again", stock: "trixie",
			steps: []string{"dkms unbuild alpha/1.0 -k $K", "dpkg -i $image1"}, right: "has alpha; configured"},
		{kind: kind, name: "built by hand and not installed, then other things happen", from: two, stock: "trixie",
			steps: after("module late 1.0 --count", "dkms build late/1.0 -k $K"), right: "lacks late; builds late 1; has alpha; configured"},
		{kind: kind, name: "an older version kept, then other things happen", from: two, stock: "trixie",
			steps: after(older), right: "version alpha 0.9; version alpha 1.0 $OTHER; builds alpha 1; configured"},
		{kind: kind, name: "an older version kept, then the kernel's own hook by hand", asStock: true,
			steps: []string{older, "byhand"}, right: "version alpha 0.9; configured"},
		{kind: kind, name: "a newer version registered, and one more kernel comes", from: two, stock: "all",
			steps: []string{"module alpha 2.0", "comes $THIRD"}, right: "version alpha 1.0; version alpha 1.0 $OTHER; version alpha 2.0 $THIRD; configured $THIRD"},
		{kind: kind, name: "a module without AUTOINSTALL that somebody installed on one kernel, and one more comes", stock: "all",
			steps: []string{"module byhand 1.0 --count && sed -i /AUTOINSTALL/d /usr/src/byhand-1.0/dkms.conf && dkms install byhand/1.0 -k $K", "comes $OTHER", "unrelated"},
			right: "has byhand; unbuilt byhand $OTHER; has alpha $OTHER; configured"},
		{kind: kind, name: "a DKMS package comes where several kernels are", from: two, stock: "trixie",
			steps: []string{dkmsPackage, "mkdir -p /etc/dkms/framework.conf.d && echo 'autoinstall_all_kernels=\"yes\"' >/etc/dkms/framework.conf.d/autoinstall_all_kernels.conf", "dpkg -i /srv/pack-dkms.deb"},
			right: "has pack; has pack $OTHER; has alpha; has alpha $OTHER; configured"},
		{kind: kind, name: "a DKMS package is purged", from: two, stock: "trixie",
			steps: []string{dkmsPackage, "dpkg -i /srv/pack-dkms.deb", "dpkg -P pack-dkms", "unrelated"},
			right: "unbuilt pack; unbuilt pack $OTHER; has alpha; has alpha $OTHER; configured"},
	}
}

// manyKernels installs ten kernels beside those there are, links to the tree of OTHER.
const manyKernels = retitle + `
for n in 10 11 12 13 14 15 16 17 18 19; do
	mkdir -p /lib/modules/6.1.$n-lab/kernel && cp -a /lib/modules/$OTHER/. /lib/modules/6.1.$n-lab/ && rm -rf /lib/modules/6.1.$n-lab/updates && : >/boot/vmlinuz-6.1.$n-lab || exit
done`

// dkmsPackage is a package of a DKMS module as dh_dkms makes it.
const dkmsPackage = `
module pack 1.0 && dkms remove pack/1.0 --all; rm -rf /srv/tree && mkdir -p /srv/tree/DEBIAN /srv/tree/usr/src && mv /usr/src/pack-1.0 /srv/tree/usr/src/ &&
printf '%s\n' 'Package: pack-dkms' 'Version: 1.0-1' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Depends: dkms' 'Description: x' >/srv/tree/DEBIAN/control &&
printf '%s\n' '#!/bin/sh' 'set -e' '[ "$1" != configure ] || /usr/lib/dkms/common.postinst pack 1.0 "" "" "$2"' >/srv/tree/DEBIAN/postinst &&
printf '%s\n' '#!/bin/sh' 'set -e' 'dkms remove pack/1.0 --all || :' >/srv/tree/DEBIAN/prerm && chmod 755 /srv/tree/DEBIAN/p* && dpkg-deb -Znone -b /srv/tree /srv/pack-dkms.deb`

// removedScenarios: when the image of a kernel goes, its builds go, whatever other
// packages have below its name, and nothing is built for it any more.
func removedScenarios() []scenario {
	const kind = "images that are removed"
	const late = "module late 1.0 --count"
	vendor := func(path string) string {
		return `m=$(find "/lib/modules/$K/kernel" -name 'crc*.ko*' | head -n 1) && shipping vendor "` + path + `" "$m" && dpkg -i /srv/vendor.deb`
	}
	play := func(name string, quick bool, steps ...string) scenario {
		return scenario{kind: kind, name: name, from: two, quick: quick, stock: "trixie", steps: append(steps, "unrelated"),
			right: "unbuilt alpha; builds late 0; registered alpha 1.0; has alpha $OTHER; configured $OTHER"}
	}
	return []scenario{
		play("another package has a module below kernel/", true, vendor("/lib/modules/$K/kernel/drivers/vendor.ko"), late, "dpkg -P linux-image-$K"),
		play("another package has a module below kernel/, and the headers go too", false, vendor("/usr/lib/modules/$K/kernel/drivers/vendor.ko"), late, "goes $K"),
		play("another package has a module below updates/", false, vendor("/lib/modules/$K/updates/vendor.ko"), late, "dpkg -P linux-image-$K"),
		play("a package with the debugging symbols", false, vendor("/usr/lib/debug/lib/modules/$K/kernel/drivers/vendor.ko"), late, "dpkg -P linux-image-$K"),
		play("a package with the debugging symbols, and the image goes first", false, vendor("/usr/lib/debug/boot/vmlinux-$K"), late, "goes $K"),
		play("the modules are in a package of their own, which stays", true, splitKernel, late, "dpkg -P linux-image-$K"),
		play("the modules are in a package of their own, which goes later", false, splitKernel, late, "dpkg -P linux-image-$K", "dpkg -P linux-modules-$K"),
		play("the headers stay", false, late, "dpkg -P linux-image-$K"),
		play("only the image's configuration files stay", false, late, "dpkg -r linux-image-$K"),
	}
}

// splitKernel puts the modules of K into a package of their own, as Ubuntu does.
const splitKernel = `
repack "$image1" /srv/split.deb 's/^Version: .*/Version: 9.0/' "rm -rf lib usr/lib/modules" &&
repack "$image1" /srv/modules.deb "s/^Package: .*/Package: linux-modules-$K/; s/^Version: .*/Version: 9.0/; /^Version/aReplaces: linux-image-$K" "rm -rf boot etc usr/share DEBIAN/p*" &&
dpkg -i /srv/modules.deb /srv/split.deb`

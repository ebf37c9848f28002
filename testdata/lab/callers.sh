#!/bin/bash
# callers.sh makes the packages of kernels whose maintainer scripts call the hooks in other
# ways than Debian's and those of bindeb-pkg. mkkernel reads it. What the scripts do is what
# those of the vendors do, as far as hooks, depmod and the trees of modules and headers are
# concerned; nothing of them is copied.
#
#   proxmox   perl; no DEB_MAINT_PARAMS; hooks on configure and remove; headers have no scripts
#   armbian   one name for all releases; the image runs hooks on every action; the headers' preinst
#             and prerm remove their tree, and their postinst prepares it
#   ubuntu    image, modules and modules-extra; hooks are run from the image's own dpkg trigger
#   raspbian  one package with two releases and no release in its name; hooks on every action
#   liquorix  as Debian's templates before linux-run-hooks, in every suite
#   bindeb    bindeb-pkg since Linux 6.14: hooks of /etc and of /usr/share in one run-parts
# shellcheck disable=SC2154 # variables of mkkernel
# shellcheck disable=SC2034 # used by mkkernel

# in_package DIR SCRIPT writes a maintainer script of a package from stdin.
in_package() {
	mkdir -p "$1/DEBIAN"
	cat >"$1/DEBIAN/$2"
	chmod 755 "$1/DEBIAN/$2"
}

# headers_tree DIR NAME lays the headers without a maintainer script in DIR.
headers_tree() {
	headers_builddeb
	sed -i "s/^Package: .*/Package: $1/" "$headers/DEBIAN/control"
}

# with_lists DIR KVER: the image ships what depmod writes.
with_lists() {
	chroot "$root" depmod -b "${1#"$root"}" "$2"
}

image_proxmox() {
	control "proxmox-kernel-$kver" "$image" "Proxmox kernel for the lab" kmod
	modules "$image/lib/modules/$kver"
	in_package "$image" postinst <<-END
		#!/usr/bin/perl
		exit 0 if \$ARGV[0] ne 'configure';
		system('depmod', '$kver');
		if (-d '/etc/kernel/postinst.d') {
			system('run-parts --verbose --exit-on-error --arg=$kver --arg=/boot/vmlinuz-$kver /etc/kernel/postinst.d') && die 'postinst.d';
		}
	END
	in_package "$image" prerm <<-END
		#!/usr/bin/perl
		exit 0 if \$ARGV[0] ne 'remove';
		if (-d '/etc/kernel/prerm.d') {
			system('run-parts --verbose --exit-on-error --arg=$kver --arg=/boot/vmlinuz-$kver /etc/kernel/prerm.d') && die 'prerm.d';
		}
	END
	in_package "$image" postrm <<-END
		#!/usr/bin/perl
		exit 0 if \$ARGV[0] ne 'remove' && \$ARGV[0] ne 'purge';
		if (-d '/etc/kernel/postrm.d') {
			system('run-parts --verbose --exit-on-error --arg=$kver --arg=/boot/vmlinuz-$kver /etc/kernel/postrm.d') && die 'postrm.d';
		}
		unlink(glob('/lib/modules/$kver/modules.{dep,alias,symbols,devname,softdep,weakdep,*.bin}')) if \$ARGV[0] eq 'purge';
		rmdir('/lib/modules/$kver') if \$ARGV[0] eq 'purge';
	END
}

headers_proxmox() { headers_tree "proxmox-headers-$kver"; }

# every_action DIR SCRIPT KVER IMAGE appends a call of the hooks to a script.
every_action() {
	cat >>"$1/DEBIAN/$2" <<-END
		[ ! -d /etc/kernel/$2.d ] || DEB_MAINT_PARAMS="\$*" INITRD=Yes run-parts --arg=$3 --arg=$4 /etc/kernel/$2.d
	END
}

image_armbian() {
	control linux-image-current-lab "$image" "Armbian kernel for the lab"
	modules "$image/lib/modules/$kver"
	with_lists "$image" "$kver"
	local name
	for name in preinst postinst prerm postrm; do
		script $name </dev/null
		every_action "$image" $name "$kver" "/boot/vmlinuz-$kver"
	done
}

headers_armbian() {
	headers_tree linux-headers-current-lab
	local tree=/usr/src/linux-headers-$kver
	# The tree is of no use before its postinst has run.
	mv "$headers$tree/include/config/auto.conf" "$headers$tree/include/config/auto.conf.in"
	for name in preinst prerm; do
		in_package "$headers" $name <<-END
			#!/bin/sh
			rm -rf $tree
			exit 0
		END
	done
	in_package "$headers" postinst <<-END
		#!/bin/sh
		set -e
		cd $tree
		sed "s/^CONFIG_GCC_VERSION=.*/CONFIG_GCC_VERSION=\$(gcc -dumpversion)0000/" include/config/auto.conf.in >include/config/auto.conf
		exit 0
	END
}

image_ubuntu() {
	local part
	modules_package="$stage/modules" extra="$stage/extra"
	more=("$modules_package" "$extra")
	control "linux-image-$kver" "$image" "Ubuntu kernel for the lab" "kmod, linux-modules-$kver"
	control "linux-modules-$kver" "$modules_package" "Ubuntu kernel's modules for the lab"
	control "linux-modules-extra-$kver" "$extra" "More of them" "linux-modules-$kver"
	modules "$modules_package/lib/modules/$kver"
	mkdir -p "$extra/lib/modules/$kver/kernel" "$image/var/lib/lab-triggers"
	mv "$modules_package/lib/modules/$kver/kernel/lib" "$extra/lib/modules/$kver/kernel/"
	echo "interest linux-update-$kver" >"$image/DEBIAN/triggers"
	script preinst <<-END
		case \$1 in install | upgrade) ;; *) exit 0 ;; esac
		[ ! -d /etc/kernel/preinst.d ] || DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg="\$kver" --arg="\$image" /etc/kernel/preinst.d
	END
	script postinst <<-END
		later=/var/lib/lab-triggers/\$kver
		if [ "\$1" = triggered ]; then
			[ ! -f "\$later" ] || sh "\$later"
			rm -f "\$later"
			exit 0
		fi
		[ "\$1" = configure ] || exit 0
		depmod "\$kver"
		[ ! -d /etc/kernel/postinst.d ] || {
			echo "DEB_MAINT_PARAMS='\$*' run-parts --report --exit-on-error --arg=\$kver --arg=\$image /etc/kernel/postinst.d" >"\$later"
			dpkg-trigger --no-await "linux-update-\$kver"
		}
	END
	script prerm <<-END
		[ "\$1" = remove ] || exit 0
		[ ! -d /etc/kernel/prerm.d ] || DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg="\$kver" --arg="\$image" /etc/kernel/prerm.d
	END
	script postrm <<-END
		[ ! -d /etc/kernel/postrm.d ] || DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg="\$kver" --arg="\$image" /etc/kernel/postrm.d
		[ "\$1" != purge ] || rm -f "/lib/modules/\$kver"/modules.dep* "/lib/modules/\$kver"/modules.*.bin "/lib/modules/\$kver"/modules.alias "/lib/modules/\$kver"/modules.symbols "/lib/modules/\$kver"/modules.devname "/lib/modules/\$kver"/modules.softdep "/lib/modules/\$kver"/modules.weakdep
		[ "\$1" != purge ] || rmdir "/lib/modules/\$kver" 2>/dev/null || :
	END
	for part in postinst postrm; do
		in_package "$extra" $part <<-END
			#!/bin/sh
			set -e
			case \$1 in configure | remove) ;; *) exit 0 ;; esac
			[ -e /boot/vmlinuz-$kver ] || exit 0
			depmod $kver
			[ ! -d /etc/kernel/postinst.d ] || DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg=$kver --arg=/boot/vmlinuz-$kver /etc/kernel/postinst.d
		END
	done
}

headers_ubuntu() {
	headers_tree "linux-headers-$kver"
	in_package "$headers" postinst <<-END
		#!/bin/sh
		set -e
		[ "\$1" = configure ] || exit 0
		[ ! -d /etc/kernel/header_postinst.d ] || DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg=$kver /etc/kernel/header_postinst.d
	END
}

image_raspbian() {
	control raspberrypi-kernel "$image" "Raspberry Pi kernels for the lab"
	local release name
	modules "$image/lib/modules/$own"
	with_lists "$image" "$own"
	modules "$image/lib/modules/$own-other"
	with_lists "$image" "$own-other"
	boot=("kernel7.img" "kernel8.img")
	for name in preinst postinst prerm postrm; do
		script $name </dev/null
		every_action "$image" $name "$own" /boot/kernel7.img
		every_action "$image" $name "$own-other" /boot/kernel8.img
	done
	[ "$kver" = "$own" ] || drop_release # the version that has one of the releases only
}

# drop_release takes the first release out of the package.
drop_release() {
	rm -r "$image/lib/modules/$own" "$image/DEBIAN"
	boot=(kernel8.img)
	control raspberrypi-kernel "$image" "Raspberry Pi kernel for the lab"
	for name in preinst postinst prerm postrm; do
		script "$name" </dev/null
		every_action "$image" "$name" "$own-other" /boot/kernel8.img
	done
}

headers_raspbian() {
	headers_tree raspberrypi-kernel-headers
	local second=$headers
	headers=$stage/second
	if [ "$kver" = "$own" ]; then
		kver=$own-other
		headers_tree raspberrypi-kernel-headers
		cp -a "$headers/." "$second/"
		kver=$own
	fi
	headers=$second
	in_package "$headers" postinst <<-END
		#!/bin/sh
		set -e
		[ "\$1" = configure ] || exit 0
		for kver in $(cd "$headers/lib/modules" && echo *); do
			[ ! -d /etc/kernel/header_postinst.d ] || DEB_MAINT_PARAMS="\$*" run-parts --arg=\$kver /etc/kernel/header_postinst.d
		done
	END
}

image_liquorix() {
	control "linux-image-$kver" "$image" "Liquorix kernel for the lab" kmod
	modules "$image/lib/modules/$kver"
	local name
	for name in preinst postinst prerm postrm; do
		script $name <<-END
			case "$name \$1" in preinst\ install | preinst\ upgrade | postinst\ configure | prerm\ remove | postrm\ *) ;; *) exit 0 ;; esac
			[ "$name" != postinst ] || depmod "\$kver"
			[ ! -d /etc/kernel/$name.d ] || DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg="\$kver" --arg="\$image" /etc/kernel/$name.d
		END
	done
	cat >>"$image/DEBIAN/postrm" <<-END
		[ "\$1" = purge ] || exit 0
		cd "/lib/modules/\$kver" 2>/dev/null || exit 0
		rm -f modules.dep modules.alias modules.symbols modules.devname modules.softdep modules.weakdep modules.*.bin
		rmdir "/lib/modules/\$kver" 2>/dev/null || :
	END
}

headers_liquorix() {
	headers_tree "linux-headers-$kver"
	in_package "$headers" postinst <<-END
		#!/usr/bin/perl
		exit 0 if \$ARGV[0] ne 'configure';
		if (-d '/etc/kernel/header_postinst.d') {
			system('run-parts --verbose --exit-on-error --arg=$kver /etc/kernel/header_postinst.d') && die 'header_postinst.d';
		}
	END
}

image_bindeb() {
	control "linux-image-$kver" "$image" "Linux kernel, version $kver, for the lab"
	modules "$image/lib/modules/$kver"
	with_lists "$image" "$kver"
	local name
	for name in preinst postinst prerm postrm; do
		script $name <<-END
			export DEB_MAINT_PARAMS="\$*" INITRD=Yes
			directories=
			for directory in /etc/kernel/$name.d /usr/share/kernel/$name.d; do
				[ ! -d "\$directory" ] || directories="\$directories \$directory"
			done
			[ -z "\$directories" ] || run-parts --arg="\$kver" --arg="\$image" \$directories
		END
	done
}

headers_bindeb() { headers_tree "linux-headers-$kver"; }

//go:build integration

package systemtest

// swapRows are kernels whose package makes way for another.
func swapRows() []row {
	kept := ending{image: "any", modules: present, kept: true}
	whole := ending{image: "any", modules: present}
	removed := ending{image: "any", modules: gone}
	const swap = "dpkg -i -B --auto-deconfigure --force-depends "
	return []row{
		{name: "in favour of another package of the same kernel", want: kept,
			do: "rival linux-image-$K-unsigned && " + swap + "/srv/linux-image-$K-unsigned.deb"},
		{name: "the same, then the old name purged", want: kept,
			do: "rival linux-image-$K-unsigned && " + swap + "/srv/linux-image-$K-unsigned.deb && dpkg -P linux-image-$K"},
		{name: "in favour of one that does not tell by its name", want: kept,
			do: "rival linux-image-current && " + swap + "/srv/linux-image-current.deb"},
		{name: "in favour of one without md5sums, named in dpkg's arguments", want: kept,
			do: "rival linux-image-current && repack /srv/linux-image-current.deb /srv/bare.deb '' 'rm DEBIAN/md5sums' && cd /srv && " + swap + "bare.deb"},
		{name: "in favour of a package without a kernel", want: removed,
			do: "package squatter 1 \"Conflicts: linux-image-$K\" \"Replaces: linux-image-$K\" && " + swap + "/srv/squatter.deb"},
		{name: "in favour of a package of another kernel", want: ending{image: "any", modules: gone, other: present},
			do: "dpkg -i --force-depends $otherheaders; repack $otherimage /srv/rt.deb \"/^Version:/aConflicts: linux-image-$K\\nReplaces: linux-image-$K\" && " + swap + "/srv/rt.deb"},
		{name: "in favour of one that fails to come in", want: ending{image: "any", modules: present, exit: 1},
			do: "rival linux-image-$K-unsigned && fails preinst install; " + swap + "/srv/linux-image-$K-unsigned.deb"},
		{name: "apt swaps signed for unsigned", want: whole,
			do: "rival linux-image-$K-unsigned && apt install /srv/linux-image-$K-unsigned.deb"},
		{name: "the same, then the old name purged (F1)", want: whole,
			do: "rival linux-image-$K-unsigned && apt install /srv/linux-image-$K-unsigned.deb && dpkg -P linux-image-$K"},
		{name: "apt swaps for another kernel", want: ending{image: "any", modules: gone, other: present},
			do: "repack $otherimage /srv/rt.deb \"/^Version:/aConflicts: linux-image-$K\\nReplaces: linux-image-$K\" && apt install /srv/rt.deb $otherheaders linux-headers-$K-"},
		{name: "taken over by a package that replaces every file, then removed", want: kept,
			do: "repack $image1 /srv/over.deb \"s/^Package: .*/Package: linux-image-over/; /^Version:/aReplaces: linux-image-$K\" && dpkg -i /srv/over.deb && { dpkg -P --force-depends linux-image-$K || :; }"},
		{name: "deconfigured by Breaks", want: ending{image: "any", modules: present, kept: true},
			do: "package breaker 1 \"Breaks: linux-image-$K\"; dpkg -i -B --auto-deconfigure --force-depends /srv/breaker.deb || :"},
		{name: "deconfigured since what it needs makes way, then configured", want: ending{image: installed, modules: present, kept: true},
			do: `package need 1 && dpkg -i /srv/need.deb && repack $image1 /srv/needy.deb "/^Depends:/d; /^Version:/aDepends: need" && dpkg -i /srv/needy.deb &&
package rival 1 "Conflicts: need" "Replaces: need" "Provides: need" && dpkg -i -B --auto-deconfigure /srv/rival.deb && dpkg --configure -a`},
		{name: "deconfigured while selected for purge", want: kept,
			do: "echo linux-image-$K purge | dpkg --set-selections; package breaker 1 \"Breaks: linux-image-$K\"; dpkg -i -B --auto-deconfigure --force-depends /srv/breaker.deb || :"},
		{name: "one package name, another kernel", want: ending{image: "any", modules: gone, other: present},
			do: `dpkg -P --force-depends linux-image-$K && renamed $image1 /srv/old.deb linux-image-current 1 && renamed $otherimage /srv/new.deb linux-image-current 2 &&
dpkg -i --force-depends /srv/old.deb && dpkg -i --force-depends $otherheaders && dpkg -i --force-depends /srv/new.deb`},
		{name: "one package name, another kernel, and back", want: whole,
			do: `dpkg -P --force-depends linux-image-$K && renamed $image1 /srv/old.deb linux-image-current 1 && renamed $otherimage /srv/new.deb linux-image-current 2 &&
dpkg -i --force-depends /srv/old.deb && dpkg -i --force-depends /srv/new.deb && dpkg -i --force-depends /srv/old.deb`},
		{name: "one package name, upgrade to another kernel fails", want: ending{image: "any", modules: present, exit: 1},
			do: `dpkg -P --force-depends linux-image-$K && renamed $image1 /srv/old.deb linux-image-current 1 && renamed $otherimage /srv/new.deb linux-image-current 2 &&
dpkg -i --force-depends /srv/old.deb && fails preinst upgrade && dpkg -i --force-depends /srv/new.deb`},
		{name: "cross-graded to the same kernel of another architecture", want: kept,
			do: "dpkg --add-architecture i386 && repack $image1 /srv/cross.deb 's/^Architecture: .*/Architecture: i386/; /^Depends:/d' && dpkg -i --force-depends /srv/cross.deb"},
	}
}

// splitRows are kernels that come in several packages.
func splitRows() []row {
	kept := ending{image: "any", modules: present, kept: true}
	whole := ending{image: "any", modules: present}
	removed := ending{image: "any", modules: gone}
	// As Ubuntu has it: the image, its modules, and more of them, whose postrm
	// runs the postinst hooks.
	const ubuntu = `
split() {
	repack $image1 /srv/extra.deb "s/^Package: .*/Package: linux-modules-extra-$K/; /^Depends:/d; /^Version:/aDepends: linux-image-$K" '
		rm -rf boot DEBIAN/p* DEBIAN/md5sums; cd lib/modules/* 2>/dev/null || cd usr/lib/modules/*; rm -rf modules.*; cd kernel; rm -rf drivers crypto fs; cd - >/dev/null; cd /srv/tree
		printf "#!/bin/sh\nif [ -d /etc/kernel/postinst.d ]; then DEB_MAINT_PARAMS=\"\$*\" run-parts --arg='$K' --arg=/boot/vmlinuz-'$K' /etc/kernel/postinst.d; fi\n" >DEBIAN/postrm; chmod 755 DEBIAN/postrm' &&
	repack $image1 /srv/modules.deb "s/^Package: .*/Package: linux-modules-$K/; /^Depends:/d; /^Version:/aReplaces: linux-image-$K" 'rm -rf boot DEBIAN/p* DEBIAN/md5sums; rm -rf lib/modules/*/kernel/lib usr/lib/modules/*/kernel/lib' &&
	repack $image1 /srv/image.deb "s/^Version: .*/Version: 3/; /^Depends:/d; /^Version:/aDepends: linux-modules-$K" 'rm -rf lib usr DEBIAN/md5sums'
}
split && dpkg -i --force-depends /srv/modules.deb /srv/image.deb /srv/extra.deb && `
	// As sid has it: packages for the base, the modules, the binary and the hooks.
	const sid = `
split() {
	repack $image1 /srv/base.deb "s/^Package: .*/Package: linux-base-$K/; /^Depends:/d; /^Version:/aReplaces: linux-image-$K" 'rm -rf boot DEBIAN/p* DEBIAN/md5sums lib/modules/*/kernel usr/lib/modules/*/kernel; find . -name "modules.*" ! -name modules.builtin ! -name modules.order -delete' &&
	repack $image1 /srv/modules.deb "s/^Package: .*/Package: linux-modules-$K/; /^Depends:/d; /^Version:/aDepends: linux-base-$K\nReplaces: linux-image-$K" 'rm -rf boot DEBIAN/p* DEBIAN/md5sums; find . -name "modules.*" -delete
		printf "#!/bin/sh\n[ \"\$1\" != configure ] || depmod '$K'\n" >DEBIAN/postinst; chmod 755 DEBIAN/postinst
		printf "#!/bin/sh\n[ \"\$1\" != remove ] || find /lib/modules/'$K'/ -maxdepth 1 -type f -name \"modules.*\" ! -name modules.builtin ! -name modules.order -delete\n" >DEBIAN/prerm; chmod 755 DEBIAN/prerm' &&
	repack $image1 /srv/image.deb "s/^Version: .*/Version: 3/; /^Depends:/d; /^Version:/aDepends: linux-modules-$K, linux-base-$K" 'rm -rf lib usr boot DEBIAN/md5sums'
	mkdir -p /etc/kernel/postinst.d /etc/kernel/postrm.d
	printf '#!/bin/sh\n: >/boot/vmlinuz-$1\n' >/etc/kernel/postinst.d/aa-image
	printf '#!/bin/sh\n[ "${DEB_MAINT_PARAMS%%%% *}" != remove ] || rm -f /boot/vmlinuz-$1\n' >/etc/kernel/postrm.d/zz-image
	chmod 755 /etc/kernel/*.d/??-image
}
split && dpkg -i --force-depends /srv/base.deb /srv/modules.deb /srv/image.deb && `
	return []row{
		{name: "Ubuntu's split: installed over the one package", style: "builddeb", want: kept, do: ubuntu + ":"},
		{name: "Ubuntu's split: modules-extra removed", style: "builddeb", want: kept, do: ubuntu + "dpkg -P linux-modules-extra-$K"},
		{name: "Ubuntu's split: all purged by apt", style: "builddeb", want: removed,
			do: ubuntu + "apt purge linux-headers-$K linux-image-$K linux-modules-$K linux-modules-extra-$K"},
		{name: "Ubuntu's split: all purged by dpkg", style: "builddeb", want: removed,
			do: ubuntu + "dpkg -P linux-modules-extra-$K linux-image-$K linux-modules-$K linux-headers-$K"},
		{name: "Ubuntu's split: all purged but the headers", style: "builddeb", want: removed,
			do: ubuntu + "dpkg -P --force-depends linux-modules-extra-$K linux-image-$K linux-modules-$K"},
		{name: "sid's split: installed over the one package", style: "debian", want: kept, do: sid + ":"},
		{name: "sid's split: installed with the headers first", style: "debian", want: whole,
			do: sid + "dpkg -P --force-depends linux-image-$K linux-modules-$K && dpkg -i --force-depends $headers1 && dpkg -i --force-depends /srv/modules.deb /srv/image.deb"},
		{name: "sid's split: the image removed, its modules stay", style: "debian", want: ending{image: "any", modules: unbuilt},
			do: sid + "dpkg -r --force-depends linux-image-$K"},
		{name: "sid's split: all removed by apt", style: "debian", want: removed,
			do: sid + "apt purge linux-headers-$K linux-image-$K linux-modules-$K linux-base-$K"},
		{name: "sid's split: all removed by dpkg", style: "debian", want: removed,
			do: sid + "dpkg -P linux-headers-$K linux-image-$K linux-modules-$K linux-base-$K"},
		{name: "sid's split: all removed but base and headers", style: "debian", want: removed,
			do: sid + "dpkg -P --force-depends linux-image-$K linux-modules-$K"},
	}
}

// oddRows are other roots, and kernels that nobody tells the hooks of.
func oddRows() []row {
	kept := ending{image: installed, modules: present, kept: true}
	return []row{
		{name: "dpkg --root: upgraded", want: kept,
			do: `mkdir /r && unshare -m sh -c 'mount --bind / /r && mount --bind /proc /r/proc && dpkg --root=/r -i $image2 $headers2'`},
		{name: "dpkg --root: purged", want: ending{modules: gone},
			do: `mkdir /r && unshare -m sh -c 'mount --bind / /r && mount --bind /proc /r/proc && dpkg --root=/r -P linux-image-$K linux-headers-$K'`},
		// Debian's own postrm deletes modules.dep of this root then.
		{name: "scripts of another root run chrootless: this one is not touched", style: "builddeb", want: kept,
			do: `mkdir /r && unshare -m sh -ec 'mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /r
dpkg --root=/r --force-script-chrootless --force-depends -P linux-image-$K; ls -d /r/boot/vmlinuz-$K && exit 1; exit 0'`},
		{name: "a kernel without a package, while another is purged", want: ending{modules: gone, other: present},
			do: `dpkg -i --force-depends $otherheaders && dpkg-deb --fsys-tarfile $otherimage | tar -x -C / --keep-directory-symlink && depmod $OTHER && dkms-hooks run postinst $OTHER || dkms autoinstall -k $OTHER
dpkg -P linux-image-$K linux-headers-$K`},
		{name: "prerm by hand", want: kept, do: "/etc/kernel/prerm.d/dkms $K"},
		{name: "postinst by hand after the modules were deleted", want: ending{image: installed, modules: present},
			do: "rm -r /lib/modules/$K/updates && /etc/kernel/postinst.d/dkms $K /boot/vmlinuz-$K"},
		{name: "/lib/modules wiped, then reinstalled", want: ending{image: installed, modules: present},
			do: "rm -r /lib/modules/$K && dpkg -i $image1 $headers1"},
		{name: "no hook ran: purged while the hooks were away", want: ending{modules: gone},
			do: "mv /etc/kernel /etc/away && dpkg -P linux-image-$K linux-headers-$K; mv /etc/away /etc/kernel"},
		{name: "no hook ran: installed while the hooks were away", from: fresh, want: ending{image: installed, modules: present},
			do: "mv /etc/kernel /etc/away && dpkg -i $headers1 $image1; rm -rf /etc/kernel; mv /etc/away /etc/kernel"},
	}
}

#!/bin/sh
# The shell functions of transitions and of other scripts that run in a root, where
# this file is /srv/lib.sh.

# The test names the kernel K and its packages in two revisions, and a second kernel
# OTHER with its own.
: "${image1=}" "${headers1=}" "${image2=}" "${headers2=}" "${otherimage=}" "${otherheaders=}"

# fails HOOK [WORD…]: from now on a hook fails, for these actions or for every one.
fails() {
	hook "$1" 'exit 1' "$@"
}

# kills HOOK [WORD…]: from now on a hook kills dpkg, once, and ends when dpkg is gone.
kills() {
	# shellcheck disable=SC2016 # expanded by the hook
	hook "$1" 'rm "$0"; p=$PPID
while [ "$(cat /proc/$p/comm)" != dpkg ]; do p=$(sed "s/.*) . //; s/ .*//" /proc/$p/stat); done
kill -9 "$p"; n=0
while kill -0 "$p" 2>/dev/null && [ $((n += 1)) -lt 500 ]; do sleep 0.01; done
exit 1' "$@"
}

# hook HOOK BODY HOOK [WORD…] writes a hook that runs after every other.
hook() {
	mkdir -p "/etc/kernel/$1.d"
	name=/etc/kernel/$1.d/zz-last body=$2
	shift 3
	patterns=
	for word; do patterns="$patterns|$word*|\\'$word*"; done
	{
		echo '#!/bin/sh'
		[ $# -eq 0 ] || echo "case \$DEB_MAINT_PARAMS in ${patterns#|}) ;; *) exit 0 ;; esac"
		echo "$body"
	} >"$name"
	chmod 755 "$name"
}

# repaired: no hook fails any more.
repaired() {
	rm -f /etc/kernel/*.d/zz-last
}

# repack DEB NEW SED [COMMAND]: the package NEW, with another control file and
# changed by a command that runs in its tree.
repack() {
	rm -rf /srv/tree && dpkg-deb -R "$1" /srv/tree && sed -i "$3" /srv/tree/DEBIAN/control &&
		(cd /srv/tree && eval "${4:-:}") && dpkg-deb -Znone -b /srv/tree "$2" >/dev/null && rm -rf /srv/tree
}

# package NAME VERSION [FIELD…]: the empty package /srv/NAME.deb.
package() {
	rm -rf /srv/tree && mkdir -p /srv/tree/DEBIAN
	{
		printf '%s\n' "Package: $1" "Version: $2" 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x'
		name=$1
		shift 2
		for field; do echo "$field"; done
	} >/srv/tree/DEBIAN/control
	dpkg-deb -Znone -b /srv/tree "/srv/$name.deb" >/dev/null
}

# renamed DEB NEW NAME VERSION: an image under another name.
renamed() {
	repack "$1" "$2" "s/^Package: .*/Package: $3/; s/^Version: .*/Version: $4/"
}

# rival NAME: the kernel K in a package that conflicts with the one installed.
rival() {
	repack "$image1" "/srv/$1.deb" "s/^Package: .*/Package: $1/; /^Version:/aConflicts: linux-image-$K\nReplaces: linux-image-$K\nProvides: linux-image-$K"
}

# swap DEB: a package comes in, in favour of which others go or are deconfigured.
swap() {
	dpkg -i -B --auto-deconfigure --force-depends "$1"
}

# split_as_ubuntu installs the kernel K as Ubuntu has it: the image, its modules, and
# more of them, whose postrm runs the postinst hooks.
split_as_ubuntu() {
	repack "$image1" /srv/extra.deb "s/^Package: .*/Package: linux-modules-extra-$K/; /^Depends:/d; /^Version:/aDepends: linux-image-$K" '
		rm -rf boot DEBIAN/p* DEBIAN/md5sums; cd lib/modules/* 2>/dev/null || cd usr/lib/modules/*; rm -rf modules.*; cd kernel; rm -rf drivers crypto fs; cd - >/dev/null; cd /srv/tree
		printf "#!/bin/sh\nif [ -d /etc/kernel/postinst.d ]; then DEB_MAINT_PARAMS=\"\$*\" run-parts --arg='"$K"' --arg=/boot/vmlinuz-'"$K"' /etc/kernel/postinst.d; fi\n" >DEBIAN/postrm; chmod 755 DEBIAN/postrm' &&
		repack "$image1" /srv/modules.deb "s/^Package: .*/Package: linux-modules-$K/; /^Depends:/d; /^Version:/aReplaces: linux-image-$K" \
			'rm -rf boot DEBIAN/p* DEBIAN/md5sums; rm -rf lib/modules/*/kernel/lib usr/lib/modules/*/kernel/lib' &&
		repack "$image1" /srv/image.deb "s/^Version: .*/Version: 3/; /^Depends:/d; /^Version:/aDepends: linux-modules-$K" \
			'rm -rf lib usr DEBIAN/md5sums' &&
		dpkg -i --force-depends /srv/modules.deb /srv/image.deb /srv/extra.deb
}

# split_as_sid installs the kernel K as sid has it: packages for the base, the modules,
# the binary and the hooks.
# shellcheck disable=SC2016 # expanded by the scripts that are written
split_as_sid() {
	repack "$image1" /srv/base.deb "s/^Package: .*/Package: linux-base-$K/; /^Depends:/d; /^Version:/aReplaces: linux-image-$K" \
		'rm -rf boot DEBIAN/p* DEBIAN/md5sums lib/modules/*/kernel usr/lib/modules/*/kernel; find . -name "modules.*" ! -name modules.builtin ! -name modules.order -delete' &&
		repack "$image1" /srv/modules.deb "s/^Package: .*/Package: linux-modules-$K/; /^Depends:/d; /^Version:/aDepends: linux-base-$K\nReplaces: linux-image-$K" '
		rm -rf boot DEBIAN/p* DEBIAN/md5sums; find . -name "modules.*" -delete
		printf "#!/bin/sh\n[ \"\$1\" != configure ] || depmod '"$K"'\n" >DEBIAN/postinst; chmod 755 DEBIAN/postinst
		printf "#!/bin/sh\n[ \"\$1\" != remove ] || find /lib/modules/'"$K"'/ -maxdepth 1 -type f -name \"modules.*\" ! -name modules.builtin ! -name modules.order -delete\n" >DEBIAN/prerm; chmod 755 DEBIAN/prerm' &&
		repack "$image1" /srv/image.deb "s/^Version: .*/Version: 3/; /^Depends:/d; /^Version:/aDepends: linux-modules-$K, linux-base-$K" \
			'rm -rf lib usr boot DEBIAN/md5sums'
	mkdir -p /etc/kernel/postinst.d /etc/kernel/postrm.d
	printf '#!/bin/sh\n: >/boot/vmlinuz-$1\n' >/etc/kernel/postinst.d/aa-image
	printf '#!/bin/sh\n[ "${DEB_MAINT_PARAMS%%%% *}" != remove ] || rm -f /boot/vmlinuz-$1\n' >/etc/kernel/postrm.d/zz-image
	chmod 755 /etc/kernel/*.d/??-image &&
		dpkg -i --force-depends /srv/base.deb /srv/modules.deb /srv/image.deb
}

# apt WORD…: apt-get, asking nothing.
apt() {
	apt-get -q -y -o Dpkg::Use-Pty=0 --allow-downgrades --allow-change-held-packages "$@"
}

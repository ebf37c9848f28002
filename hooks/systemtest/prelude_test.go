//go:build integration

package systemtest

// prelude are the shell functions that scripts of transitions use.
func prelude() string {
	return `
# fails HOOK [WORD…]: from now on a hook fails, for these actions or for every one.
fails() {
	hook "$1" 'exit 1' "$@"
}
# kills HOOK [WORD…]: from now on a hook kills dpkg, once.
kills() {
	hook "$1" 'rm "$0"; p=$PPID
while [ "$(cat /proc/$p/comm)" != dpkg ]; do p=$(sed "s/.*) . //; s/ .*//" /proc/$p/stat); done
kill -9 "$p"; sleep 0.2; exit 1' "$@"
}
# hook HOOK BODY HOOK [WORD…] writes a hook that runs after every other.
hook() {
	mkdir -p "/etc/kernel/$1.d"
	name=/etc/kernel/$1.d/zz-last body=$2
	shift 3
	{
		echo '#!/bin/sh'
		[ $# -eq 0 ] || echo "case \$DEB_MAINT_PARAMS in $(printf "%s*|\\'%s*|" $(for w; do echo "$w" "$w"; done) | sed 's/|$//')) ;; *) exit 0 ;; esac"
		echo "$body"
	} >"$name"
	chmod 755 "$name"
}
mended() {
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
apt() {
	apt-get -q -y -o Dpkg::Use-Pty=0 --allow-downgrades --allow-change-held-packages "$@"
}
`
}

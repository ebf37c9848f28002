//go:build integration

package systemtest

// stockwisePrelude are the functions that the steps of scenarios use beside those of the
// prelude. Every one does the same with the stock hooks and with ours.
func stockwisePrelude() string {
	return `
# wrong WORD…: reports in what the end is not right.
wrong() {
	echo "JUDGED: $*"
}
# skip WORD…: this root cannot play the scenario.
skip() {
	echo "SKIPPED: $*"
	exit 0
}
# module NAME VERSION [OPTION…]: registers a module, as mkmodule does.
module() {
	/srv/mkmodule / "$@"
}
# of KVER PART: the package of a kernel.
of() {
	case $1 in
	"$K") eval echo "\$${2}1" ;;
	"$OTHER") eval echo "\$other$2" ;;
	"$THIRD") eval echo "\$third$2" ;;
	"$NOVERS") eval echo "\$novers$2" ;;
	esac
}
# comes KVER: a kernel is installed with its headers, whose package calls no hook.
comes() {
	dpkg -i "$(of "$1" headers)" && dpkg -i "$(of "$1" image)"
}
# goes KVER: both are purged.
goes() {
	dpkg -P "linux-image-$1" "linux-headers-$1"
}
# ours WORD…: the command of our package, where it is installed.
ours() {
	[ ! -x /usr/sbin/dkms-hooks ] || dkms-hooks "$@"
}
# elsewhere: what has nothing to do with K: another kernel comes and goes, a package
# that has a file below another kernel's modules, and our package is installed again.
elsewhere() {
	comes "$THIRD" && goes "$THIRD" || return
	# By the path that kernels have: what dpkg removes under another one may be their link.
	modules=/usr/lib/modules
	[ -z "$(dpkg-query -S /lib/modules 2>/dev/null)" ] || modules=/lib/modules
	shipping stranger "$modules/5.0-strange/kernel/strange.txt" && dpkg -i /srv/stranger.deb && dpkg -P stranger || return
	[ ! -e /srv/dkms-hooks.deb ] || dpkg -i /srv/dkms-hooks.deb
}
# unrelated: the same, and then every kernel is looked at.
unrelated() {
	elsewhere && ours reconcile
}
# byhand [KVER]: somebody runs the hook.
byhand() {
	/etc/kernel/postinst.d/dkms "${1:-$K}"
}
# shipping NAME PATH [FILE]: the package /srv/NAME.deb with one file, executable.
shipping() {
	rm -rf /srv/tree && mkdir -p /srv/tree/DEBIAN "/srv/tree${2%/*}" &&
		printf '%s\n' "Package: $1" 'Version: 1' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x' >/srv/tree/DEBIAN/control || return
	if [ $# -gt 2 ]; then cp "$3" "/srv/tree$2"; else echo '#!/bin/sh' >"/srv/tree$2"; fi
	chmod 755 "/srv/tree$2" && dpkg-deb -Znone -b /srv/tree "/srv/$1.deb" >/dev/null
}
# ko NAME [KVER]: the installed file of a module.
ko() {
	find "/lib/modules/${2:-$K}/updates/" -name "$1.ko*" | head -n 1
}
# sign FILE: appends a signature to a module, as the kernel's sign-file does: data, the
# struct module_signature (id_type 2, PKCS#7, and the length, big-endian), and the mark.
sign() {
	{
		head -c 300 /dev/zero | tr '\0' s
		printf '\0\0\2\0\0\0\0\0\0\0\1\54~Module signature appended~\n'
	} >>"$1"
}
# keep FILE: from now on a file is the owner's.
keep() {
	sha256sum "$1" >>/srv/kept
}
# signing: a hook of the owner's signs what dkms installed, once.
signing() {
	mkdir -p /etc/kernel/postinst.d
	cat >/etc/kernel/postinst.d/zz-sign <<'END'
#!/bin/sh
if [ -n "$(find "/lib/modules/$1/updates/" -name '*.ko.xz' -exec xz -d {} + -print)" ]; then depmod "$1"; fi
find "/lib/modules/$1/updates/" -name '*.ko' | while read -r file; do
	grep -q 'Module signature appended' "$file" || {
		head -c 300 /dev/zero | tr '\0' s
		printf '\0\0\2\0\0\0\0\0\0\0\1\54~Module signature appended~\n'
	} >>"$file"
done
END
	chmod 755 /etc/kernel/postinst.d/zz-sign
}
# plainly: dkms's own compression is taken off the modules of K, for suites whose kernels
# are compressed.
plainly() {
	find "/lib/modules/$K/updates/" -name '*.ko.xz' -exec xz -d {} + && depmod "$K"
}
`
}

// stockwiseJudge are the functions that judge an end. They ask kmod, dpkg and dkms, and
// nothing that belongs to any hooks.
func stockwiseJudge() string {
	return `
# has MODULE [KVER]: modprobe would find it, and it is of that kernel.
has() {
	k=${2:-$K}
	file=$(modinfo -k "$k" -n "$1" 2>/dev/null) || :
	case $file in
	/*/updates/*) ;;
	*)
		wrong "$1 is not found on $k"
		return
		;;
	esac
	[ "$(modinfo -F name "$file" 2>/dev/null)" = "$(echo "$1" | tr - _)" ] || wrong "$1 on $k is another module, or none"
	[ "$(modinfo -F vermagic "$file" 2>/dev/null | cut -d ' ' -f 1)" = "$k" ] || wrong "$1 on $k is for another kernel"
	[ -L "/var/lib/dkms/${3:-$1}/$(ls "/var/lib/dkms/${3:-$1}" | grep '^[0-9]' | head -n 1)/source" ] || wrong "$1 is not registered"
}
# lacks MODULE [KVER]: nothing of it is installed there.
lacks() {
	k=${2:-$K}
	[ -z "$(find "/lib/modules/$k/updates/" -name "$1.ko*" 2>/dev/null)" ] || wrong "$1 is installed on $k"
	[ ! -L "/var/lib/dkms/$1/kernel-$k-x86_64" ] || wrong "dkms knows $1 as installed on $k"
}
# unbuilt MODULE [KVER]: nothing of it is built there either.
unbuilt() {
	lacks "$@"
	[ -z "$(ls -d /var/lib/dkms/"$1"/*/"${2:-$K}" 2>/dev/null)" ] || wrong "$1 is built on ${2:-$K}"
}
# version MODULE VERSION [KVER]: the one that is installed.
version() {
	is=$(modinfo -k "${3:-$K}" -F version "$1" 2>/dev/null)
	[ "$is" = "$2" ] || wrong "$1 on ${3:-$K} is of version ${is:-none}, not $2"
}
# builds MODULE COUNT [KVER]: how often it was compiled.
builds() {
	is=$(grep -cFx -- "${3:-$K}" "/var/tmp/$1.builds" 2>/dev/null) || :
	[ "${is:-0}" -eq "$2" ] || wrong "$1 was compiled ${is:-0} times for ${3:-$K}, not $2"
}
# kept: the owner's files are as they were.
kept() {
	sha256sum --quiet -c /srv/kept >/dev/null 2>&1 || wrong "the owner's file is not as it was"
}
# signed MODULE [KVER]: its installed file ends with a signature.
signed() {
	file=$(modinfo -k "${2:-$K}" -n "$1" 2>/dev/null)
	[ "$(tail -c 28 "$file" 2>/dev/null)" = "~Module signature appended~" ] || wrong "$1 on ${2:-$K} is not signed"
}
# fits MODULE [KVER]: each symbol that it uses has the version in Module.symvers.
fits() {
	k=${2:-$K}
	[ -z "$(depmod -n -e -E "/lib/modules/$k/build/Module.symvers" "$k" 2>&1 >/dev/null | grep "/$1\.ko")" ] || wrong "$1 does not fit $k"
}
# configured [KVER]: dpkg has nothing left to do, and the kernel is installed.
configured() {
	[ -z "$(dpkg --audit)" ] || wrong "a package is half-configured: $(dpkg -l | sed -n 's/^[a-z][^ in] *\([^ ]*\).*/\1/p' | tr '\n' ' ')"
	[ "$(dpkg-query -W -f '${db:Status-Status}' "linux-image-${1:-$K}" 2>/dev/null)" = installed ] || wrong "linux-image-${1:-$K} is not installed"
}
# registered MODULE VERSION: dkms knows it.
registered() {
	[ -L "/var/lib/dkms/$1/$2/source" ] || wrong "$1/$2 is not registered"
}
`
}

#!/bin/sh
# What the scripts of the lab and those that build the package share.

me=${0##*/}

# top is the checkout.
top=$(cd "$(dirname "$0")/../.." && pwd)

say() {
	echo "$me: $*" >&2
}

fail() {
	say "$@"
	exit 1
}

# usage WORD…: the script was not called so.
usage() {
	echo "usage: $me $*" >&2
	exit 2
}

# as_root WHAT: what needs root.
as_root() {
	[ "$(id -u)" -eq 0 ] || fail "cannot $1: not run as root"
}

# needs PROGRAM:PACKAGE…: the programs are there.
needs() {
	for tool; do
		command -v "${tool%:*}" >/dev/null || fail "${tool%:*} is missing, apt install ${tool#*:}"
	done
}

# make_work makes the directory $work. It goes when the script ends, and so does what
# runs in the background as $job.
make_work() {
	work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" "dkms-hooks-$me.XXXXXX")
	job=''
	trap leave EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# shellcheck disable=SC2317,SC2329 # called by the traps
leave() {
	if [ -n "$job" ]; then
		kill -TERM -- "-$job" 2>/dev/null || kill "$job" 2>/dev/null || :
		wait "$job" 2>/dev/null || :
	fi
	rm -rf --one-file-system "$work"
}

# logged COMMAND…: what it says goes to $work/log, whose end is shown when it fails. A
# signal ends it with all that it started.
logged() {
	set -m
	"$@" >>"$work/log" 2>&1 </dev/null &
	job=$!
	set +m
	status=0
	wait "$job" || status=$?
	job=''
	[ "$status" -eq 0 ] || {
		grep -v '^N:' "$work/log" | tail -n 80 >&2 || :
		fail "$1 failed with status $status"
	}
}

# bootstrap OPTION… SUITE TARGET: mmdebstrap, without what nobody needs.
bootstrap() {
	mmdebstrap --variant=minbase \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Languages "none"' \
		--aptopt='APT::Install-Recommends "false"' "$@"
}

# left is a hook for mmdebstrap, which waits until nothing runs in the root: dkms 3.2
# leaves a sleep of some seconds there, which keeps the root busy.
# shellcheck disable=SC2016,SC2034 # expanded by the shell of mmdebstrap, and used elsewhere
left='n=0; while find /proc -maxdepth 2 -name root -lname "$1" 2>/dev/null | grep -q . && [ $((n += 1)) -lt 300 ]; do sleep 0.1; done'

# in_root ROOT COMMAND… runs it in a root. Whatever it leaves running dies with it.
in_root() {
	(
		root=$1
		shift
		exec unshare -p -f --kill-child --mount-proc="$root/proc" chroot "$root" \
			env -i LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
	)
}

# copy_source DIR: the checkout, without what was built.
copy_source() {
	mkdir -p "$1"
	tar -C "$top" -c --exclude=./.git --exclude=./bin --exclude=./dist . | tar -x -C "$1"
}

#!/bin/sh
# name: scripts of another root run chrootless: this one is not touched
# style: builddeb
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
# Debian's own postrm deletes modules.dep of this root then.
mkdir /r || exit
# shellcheck disable=SC2016 # expanded by the inner shell
unshare -m sh -ec '
	mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w &&
		mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /r
	dpkg --root=/r --force-script-chrootless --force-depends -P linux-image-$K
	ls -d /r/boot/vmlinuz-$K && exit 1
	exit 0
'

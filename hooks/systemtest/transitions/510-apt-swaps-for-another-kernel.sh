#!/bin/sh
# name: apt swaps for another kernel
# image: any
# modules: gone
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
repack "$otherimage" /srv/rt.deb "/^Version:/aConflicts: linux-image-$K\nReplaces: linux-image-$K" &&
	apt install /srv/rt.deb "$otherheaders" "linux-headers-$K-"

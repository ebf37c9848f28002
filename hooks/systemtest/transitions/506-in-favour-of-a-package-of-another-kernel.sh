#!/bin/sh
# name: in favour of a package of another kernel
# image: any
# modules: gone
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i --force-depends "$otherheaders"
repack "$otherimage" /srv/rt.deb "/^Version:/aConflicts: linux-image-$K\nReplaces: linux-image-$K" &&
	swap /srv/rt.deb

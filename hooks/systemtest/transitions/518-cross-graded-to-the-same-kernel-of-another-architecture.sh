#!/bin/sh
# name: cross-graded to the same kernel of another architecture
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg --add-architecture i386 &&
	repack "$image1" /srv/cross.deb 's/^Architecture: .*/Architecture: i386/; /^Depends:/d' &&
	dpkg -i --force-depends /srv/cross.deb

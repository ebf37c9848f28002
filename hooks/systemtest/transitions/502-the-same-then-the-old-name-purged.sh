#!/bin/sh
# name: the same, then the old name purged
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rival "linux-image-$K-unsigned" &&
	swap "/srv/linux-image-$K-unsigned.deb" &&
	dpkg -P "linux-image-$K"

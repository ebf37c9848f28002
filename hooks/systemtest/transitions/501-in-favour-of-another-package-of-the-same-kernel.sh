#!/bin/sh
# name: in favour of another package of the same kernel
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rival "linux-image-$K-unsigned" &&
	swap "/srv/linux-image-$K-unsigned.deb"

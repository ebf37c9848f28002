#!/bin/sh
# name: in favour of one that fails to come in
# image: any
# modules: present
# exit: 1

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rival "linux-image-$K-unsigned" &&
	fails preinst install
swap "/srv/linux-image-$K-unsigned.deb"

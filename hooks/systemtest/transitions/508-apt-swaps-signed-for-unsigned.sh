#!/bin/sh
# name: apt swaps signed for unsigned
# image: any
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rival "linux-image-$K-unsigned" &&
	apt install "/srv/linux-image-$K-unsigned.deb"

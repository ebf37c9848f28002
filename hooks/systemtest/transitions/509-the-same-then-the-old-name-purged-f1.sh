#!/bin/sh
# name: the same, then the old name purged (F1)
# image: any
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rival "linux-image-$K-unsigned" &&
	apt install "/srv/linux-image-$K-unsigned.deb" &&
	dpkg -P "linux-image-$K"

#!/bin/sh
# name: unpacked, then upgraded
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg --unpack "$headers1" "$image1" &&
	dpkg -i "$headers2" "$image2"

#!/bin/sh
# name: image and headers unpacked, then configured
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg --unpack "$headers1" "$image1" &&
	dpkg --configure -a

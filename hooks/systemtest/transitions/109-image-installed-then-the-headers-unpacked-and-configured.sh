#!/bin/sh
# name: image installed, then the headers unpacked and configured
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i "$image1" &&
	dpkg --unpack "$headers1" &&
	dpkg --configure -a

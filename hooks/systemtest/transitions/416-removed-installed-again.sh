#!/bin/sh
# name: removed, installed again
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -r "linux-image-$K" "linux-headers-$K" &&
	dpkg --unpack "$headers1" "$image1" &&
	dpkg --configure -a

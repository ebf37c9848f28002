#!/bin/sh
# name: upgrade unpacked, then configured
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg --unpack "$image2" "$headers2" &&
	dpkg --configure -a

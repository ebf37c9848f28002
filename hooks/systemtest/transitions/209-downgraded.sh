#!/bin/sh
# name: downgraded
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i "$image2" "$headers2" &&
	dpkg -i "$image1" "$headers1"

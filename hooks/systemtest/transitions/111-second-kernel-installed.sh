#!/bin/sh
# name: second kernel installed
# image: install ok installed
# modules: present
# kept: yes
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg --unpack "$otherheaders" "$otherimage" &&
	dpkg --configure -a

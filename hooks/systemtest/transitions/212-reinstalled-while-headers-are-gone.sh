#!/bin/sh
# name: reinstalled while headers are gone
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -r --force-depends "linux-headers-$K" &&
	dpkg -i "$image1"

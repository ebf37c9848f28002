#!/bin/sh
# name: /lib/modules wiped, then reinstalled
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rm -r "/lib/modules/$K" &&
	dpkg -i "$image1" "$headers1"

#!/bin/sh
# name: upgraded while on hold
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
echo "linux-image-$K" hold | dpkg --set-selections &&
	dpkg -i --force-hold "$image2" "$headers2"

#!/bin/sh
# name: upgraded while selected for removal
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
echo "linux-image-$K" deinstall | dpkg --set-selections &&
	dpkg -i "$image2" "$headers2"

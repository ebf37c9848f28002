#!/bin/sh
# name: in favour of one that does not tell by its name
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rival linux-image-current &&
	swap /srv/linux-image-current.deb

#!/bin/sh
# name: in favour of one without md5sums, named in dpkg's arguments
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rival linux-image-current &&
	repack /srv/linux-image-current.deb /srv/bare.deb '' 'rm DEBIAN/md5sums' &&
	cd /srv &&
	swap bare.deb

#!/bin/sh
# name: image installed, then the headers
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i "$image1" &&
	dpkg -i "$headers1"

#!/bin/sh
# name: headers installed, then the image
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i --force-depends "$headers1" &&
	dpkg -i "$image1"

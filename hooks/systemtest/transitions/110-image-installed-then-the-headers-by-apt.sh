#!/bin/sh
# name: image installed, then the headers by apt
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i "$image1" &&
	apt install "$headers1"

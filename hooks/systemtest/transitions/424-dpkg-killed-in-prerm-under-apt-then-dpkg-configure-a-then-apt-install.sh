#!/bin/sh
# name: dpkg killed in prerm under apt, then dpkg --configure -a, then apt install
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
kills prerm remove
apt remove "linux-image-$K" "linux-headers-$K"
dpkg --configure -a
apt install --reinstall "$image1" "$headers1"

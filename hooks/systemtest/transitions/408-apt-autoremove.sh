#!/bin/sh
# name: apt autoremove
# image: deinstall ok config-files
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt-mark auto "linux-image-$K" "linux-headers-$K" &&
	apt autoremove -o APT::Protect-Kernels=false

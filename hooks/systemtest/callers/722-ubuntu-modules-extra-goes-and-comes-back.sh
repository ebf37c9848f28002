#!/bin/sh
# name: Ubuntu: modules-extra goes and comes back
# style: ubuntu
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P "linux-modules-extra-$K" &&
	dpkg -i "/srv/kernels/linux-modules-extra-${K}_1_amd64.deb"

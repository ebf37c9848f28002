#!/bin/sh
# name: Ubuntu: the modules are upgraded alone
# style: ubuntu
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i "/srv/kernels/linux-modules-${K}_2_amd64.deb"

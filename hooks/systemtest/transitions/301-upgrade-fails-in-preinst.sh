#!/bin/sh
# name: upgrade fails in preinst
# image: install ok installed
# modules: present
# kept: yes
# exit: 1

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails preinst upgrade
dpkg -i "$image2"

#!/bin/sh
# name: upgrade fails in both prerms
# style: builddeb
# image: install ok installed
# modules: present
# kept: yes
# exit: 1

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails prerm upgrade failed-upgrade
dpkg -i "$image2"

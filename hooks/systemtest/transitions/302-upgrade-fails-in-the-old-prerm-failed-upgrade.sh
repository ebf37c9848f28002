#!/bin/sh
# name: upgrade fails in the old prerm (failed-upgrade)
# style: builddeb
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails prerm upgrade
dpkg -i "$image2"

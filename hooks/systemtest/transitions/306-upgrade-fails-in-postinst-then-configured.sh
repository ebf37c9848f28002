#!/bin/sh
# name: upgrade fails in postinst, then configured
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails postinst configure
dpkg -i "$image2"
repaired
dpkg --configure -a

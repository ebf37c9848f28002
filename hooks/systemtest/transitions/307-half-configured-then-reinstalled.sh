#!/bin/sh
# name: half-configured, then reinstalled
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails postinst configure
dpkg -i "$image1"
repaired
dpkg -i "$image1"

#!/bin/sh
# name: dpkg killed in the prerm of an upgrade, then upgraded
# style: builddeb
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
kills prerm upgrade
dpkg -i "$image2"
dpkg -i "$image2"

#!/bin/sh
# name: dpkg killed in the postinst of an upgrade, then configured
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
kills postinst configure
dpkg -i "$image2"
dpkg --configure -a

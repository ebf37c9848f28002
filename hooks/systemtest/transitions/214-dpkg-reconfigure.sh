#!/bin/sh
# name: dpkg-reconfigure
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg-reconfigure "linux-image-$K"

#!/bin/sh
# name: image and headers reinstalled
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i "$image1" "$headers1"

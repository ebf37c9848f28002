#!/bin/sh
# name: apt upgrade to a new revision
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt install "$image2" "$headers2"

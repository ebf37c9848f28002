#!/bin/sh
# name: apt reinstall
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt install --reinstall "$image1"

#!/bin/sh
# name: apt install
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt install "$image1" "$headers1"

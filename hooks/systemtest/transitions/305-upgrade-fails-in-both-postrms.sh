#!/bin/sh
# name: upgrade fails in both postrms
# image: install ok installed
# modules: present
# kept: yes
# exit: 1

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails postrm upgrade failed-upgrade
dpkg -i "$image2"

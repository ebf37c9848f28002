#!/bin/sh
# name: upgrade fails in the old postrm (failed-upgrade)
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails postrm upgrade
dpkg -i "$image2"

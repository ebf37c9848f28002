#!/bin/sh
# name: removal by apt aborted by a later hook
# style: builddeb
# image: install ok installed
# modules: present
# kept: yes
# exit: 100

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails prerm remove
apt remove "linux-image-$K"

#!/bin/sh
# name: removal by apt aborted after the headers went
# image: install ok installed
# modules: present
# kept: yes
# exit: 100

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails prerm remove
apt remove "linux-image-$K" "linux-headers-$K"

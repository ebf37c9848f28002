#!/bin/sh
# name: apt remove
# image: deinstall ok config-files
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt remove "linux-image-$K" "linux-headers-$K"

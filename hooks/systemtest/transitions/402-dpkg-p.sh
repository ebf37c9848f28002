#!/bin/sh
# name: dpkg -P
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P "linux-image-$K" "linux-headers-$K"

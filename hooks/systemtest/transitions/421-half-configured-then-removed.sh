#!/bin/sh
# name: half-configured, then removed
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails postinst configure
dpkg -i "$image1"
repaired
dpkg -P "linux-image-$K" "linux-headers-$K"

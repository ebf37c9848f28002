#!/bin/sh
# name: apt purge
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt purge "linux-image-$K" "linux-headers-$K"

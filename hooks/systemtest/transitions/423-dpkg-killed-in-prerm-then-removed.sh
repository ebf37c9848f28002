#!/bin/sh
# name: dpkg killed in prerm, then removed
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
kills prerm remove
dpkg -P "linux-image-$K" "linux-headers-$K"
dpkg -P "linux-image-$K" "linux-headers-$K"

#!/bin/sh
# name: dpkg -r
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -r "linux-image-$K" "linux-headers-$K"
s=$?
dpkg -P "linux-image-$K"
exit "$s"

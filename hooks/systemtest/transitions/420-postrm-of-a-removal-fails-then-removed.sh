#!/bin/sh
# name: postrm of a removal fails, then removed
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails postrm remove
dpkg -P "linux-image-$K" "linux-headers-$K"
repaired
dpkg -P "linux-image-$K" "linux-headers-$K"

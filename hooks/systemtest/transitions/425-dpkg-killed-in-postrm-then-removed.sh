#!/bin/sh
# name: dpkg killed in postrm, then removed
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
kills postrm remove
dpkg -P "linux-image-$K" "linux-headers-$K"
dpkg -P "linux-image-$K" "linux-headers-$K"

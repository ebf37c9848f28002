#!/bin/sh
# name: image purged, headers stay
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P --force-depends "linux-image-$K"

#!/bin/sh
# name: image purged, then its headers
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P --force-depends "linux-image-$K" &&
	dpkg -P "linux-headers-$K"

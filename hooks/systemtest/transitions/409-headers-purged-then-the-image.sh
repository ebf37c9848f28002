#!/bin/sh
# name: headers purged, then the image
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P --force-depends "linux-headers-$K" &&
	dpkg -P "linux-image-$K"

#!/bin/sh
# name: sid's split: all removed but base and headers
# style: debian
# image: any
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_sid &&
	dpkg -P --force-depends "linux-image-$K" "linux-modules-$K"

#!/bin/sh
# name: sid's split: all removed by dpkg
# style: debian
# image: any
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_sid &&
	dpkg -P "linux-headers-$K" "linux-image-$K" "linux-modules-$K" "linux-base-$K"

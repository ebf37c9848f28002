#!/bin/sh
# name: dpkg --remove --pending, selected before
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
for p in "linux-image-$K" "linux-headers-$K"; do echo "$p" purge; done | dpkg --set-selections &&
	dpkg --purge --pending

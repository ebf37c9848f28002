#!/bin/sh
# name: unpacked, then removed
# from: fresh
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg --unpack "$headers1" "$image1" &&
	dpkg -r "linux-image-$K" "linux-headers-$K"
s=$?
dpkg -P "linux-image-$K"
exit "$s"

#!/bin/sh
# name: two kernels removed in one run of dpkg
# from: two
# image: unknown
# modules: gone
# other: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P "linux-image-$K" "linux-headers-$K" "linux-image-$OTHER" "linux-headers-$OTHER"

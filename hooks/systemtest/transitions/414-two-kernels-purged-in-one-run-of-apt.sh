#!/bin/sh
# name: two kernels purged in one run of apt
# from: two
# image: unknown
# modules: gone
# other: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt purge "linux-image-$K" "linux-headers-$K" "linux-image-$OTHER" "linux-headers-$OTHER"

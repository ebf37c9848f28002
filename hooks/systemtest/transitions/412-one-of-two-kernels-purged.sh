#!/bin/sh
# name: one of two kernels purged
# from: two
# image: unknown
# modules: gone
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P "linux-image-$K" "linux-headers-$K"

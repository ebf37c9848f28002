#!/bin/sh
# name: dpkg -r while on hold
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
echo "linux-image-$K" hold | dpkg --set-selections
dpkg -r "linux-image-$K" "linux-headers-$K"
s=$?
dpkg -P "linux-image-$K"
exit "$s"

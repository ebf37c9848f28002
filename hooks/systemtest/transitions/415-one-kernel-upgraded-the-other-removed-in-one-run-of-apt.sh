#!/bin/sh
# name: one kernel upgraded, the other removed, in one run of apt
# from: two
# image: install ok installed
# modules: present
# kept: yes
# other: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
apt install "$image2" "$headers2" "linux-image-$OTHER-" "linux-headers-$OTHER-"

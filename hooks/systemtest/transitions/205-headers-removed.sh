#!/bin/sh
# name: headers removed
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -r --force-depends "linux-headers-$K"

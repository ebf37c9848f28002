#!/bin/sh
# name: removal aborted by a later hook
# image: deinstall ok installed
# modules: present
# kept: yes
# exit: 1

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails prerm remove
dpkg -r --force-depends "linux-image-$K"

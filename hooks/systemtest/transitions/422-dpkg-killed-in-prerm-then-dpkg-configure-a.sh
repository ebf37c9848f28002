#!/bin/sh
# name: dpkg killed in prerm, then dpkg --configure -a
# image: deinstall ok half-configured
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
kills prerm remove
dpkg -r --force-depends "linux-image-$K"
dpkg --configure -a

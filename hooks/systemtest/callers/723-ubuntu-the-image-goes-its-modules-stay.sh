#!/bin/sh
# name: Ubuntu: the image goes, its modules stay
# style: ubuntu
# image: any
# modules: unbuilt

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P "linux-image-$K"

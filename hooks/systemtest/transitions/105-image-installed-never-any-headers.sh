#!/bin/sh
# name: image installed, never any headers
# from: fresh
# image: install ok installed
# modules: unbuilt

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i "$image1"

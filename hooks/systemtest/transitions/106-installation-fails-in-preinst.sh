#!/bin/sh
# name: installation fails in preinst
# from: fresh
# image: unknown
# modules: unbuilt
# exit: 1

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
fails preinst install
dpkg -i "$image1"

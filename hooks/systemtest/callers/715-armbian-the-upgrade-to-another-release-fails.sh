#!/bin/sh
# name: Armbian: the upgrade to another release fails
# style: armbian
# image: any
# modules: present
# exit: 1

# shellcheck source=hooks/systemtest/transitions/lib.sh
# shellcheck disable=SC2086,SC2154 # lists of packages, named by the test
. /srv/lib.sh
fails preinst upgrade
dpkg -i $otherimage

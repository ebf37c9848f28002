#!/bin/sh
# name: Armbian: another release, the image first
# style: armbian
# image: any
# modules: gone
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
# shellcheck disable=SC2086,SC2154 # lists of packages, named by the test
. /srv/lib.sh
dpkg -i $otherimage &&
	dpkg -i $otherheaders

#!/bin/sh
# name: Armbian: another release and back
# style: armbian
# image: any
# modules: present
# other: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
# shellcheck disable=SC2086,SC2154 # lists of packages, named by the test
. /srv/lib.sh
dpkg -i $otherheaders $otherimage &&
	dpkg -i $headers1 $image1

#!/bin/sh
# name: Raspberry Pi OS: one of two releases goes and comes back
# style: raspbian
# image: any
# modules: present
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
# shellcheck disable=SC2086,SC2154 # lists of packages, named by the test
. /srv/lib.sh
dpkg -i $otherheaders $otherimage &&
	dpkg -i $headers1 $image1

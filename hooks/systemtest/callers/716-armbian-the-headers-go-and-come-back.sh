#!/bin/sh
# name: Armbian: the headers go and come back
# style: armbian
# image: any
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
# shellcheck disable=SC2086,SC2154 # lists of packages, named by the test
. /srv/lib.sh
dpkg -r $HEADERS &&
	dpkg -i $headers1

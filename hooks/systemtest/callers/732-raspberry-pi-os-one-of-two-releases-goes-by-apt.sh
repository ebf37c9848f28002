#!/bin/sh
# name: Raspberry Pi OS: one of two releases goes, by apt
# style: raspbian
# image: any
# modules: gone
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
# shellcheck disable=SC2086,SC2154 # lists of packages, named by the test
. /srv/lib.sh
apt install $otherimage $otherheaders

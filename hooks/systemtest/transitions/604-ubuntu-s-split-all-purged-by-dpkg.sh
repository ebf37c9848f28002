#!/bin/sh
# name: Ubuntu's split: all purged by dpkg
# style: builddeb
# image: any
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_ubuntu &&
	dpkg -P "linux-modules-extra-$K" "linux-image-$K" "linux-modules-$K" "linux-headers-$K"

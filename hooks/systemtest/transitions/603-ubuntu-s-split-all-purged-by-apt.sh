#!/bin/sh
# name: Ubuntu's split: all purged by apt
# style: builddeb
# image: any
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_ubuntu &&
	apt purge "linux-headers-$K" "linux-image-$K" "linux-modules-$K" "linux-modules-extra-$K"

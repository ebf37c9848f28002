#!/bin/sh
# name: Ubuntu's split: all purged but the headers
# style: builddeb
# image: any
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_ubuntu &&
	dpkg -P --force-depends "linux-modules-extra-$K" "linux-image-$K" "linux-modules-$K"

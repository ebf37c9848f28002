#!/bin/sh
# name: sid's split: the image removed, its modules stay
# style: debian
# image: any
# modules: unbuilt

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_sid &&
	dpkg -r --force-depends "linux-image-$K"

#!/bin/sh
# name: sid's split: installed with the headers first
# style: debian
# image: any
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_sid &&
	dpkg -P --force-depends "linux-image-$K" "linux-modules-$K" &&
	dpkg -i --force-depends "$headers1" &&
	dpkg -i --force-depends /srv/modules.deb /srv/image.deb

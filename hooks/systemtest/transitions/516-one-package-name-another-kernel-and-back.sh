#!/bin/sh
# name: one package name, another kernel, and back
# image: any
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P --force-depends "linux-image-$K" &&
	renamed "$image1" /srv/old.deb linux-image-current 1 &&
	renamed "$otherimage" /srv/new.deb linux-image-current 2 &&
	dpkg -i --force-depends /srv/old.deb &&
	dpkg -i --force-depends /srv/new.deb &&
	dpkg -i --force-depends /srv/old.deb

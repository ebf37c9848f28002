#!/bin/sh
# name: taken over by a package that replaces every file, then removed
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
repack "$image1" /srv/over.deb "s/^Package: .*/Package: linux-image-over/; /^Version:/aReplaces: linux-image-$K" &&
	dpkg -i /srv/over.deb &&
	{ dpkg -P --force-depends "linux-image-$K" || :; }

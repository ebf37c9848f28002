#!/bin/sh
# name: dpkg --root: purged
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
mkdir /r || exit
# shellcheck disable=SC2016 # expanded by the inner shell
unshare -m sh -c '
	mount --bind / /r &&
	mount --bind /proc /r/proc &&
	dpkg --root=/r -P linux-image-$K linux-headers-$K
'

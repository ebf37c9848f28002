#!/bin/sh
# name: dpkg --root: upgraded
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
mkdir /r || exit
# shellcheck disable=SC2016 # expanded by the inner shell
unshare -m sh -c '
	mount --bind / /r &&
	mount --bind /proc /r/proc &&
	dpkg --root=/r -i $image2 $headers2
'

#!/bin/sh
# name: postinst by hand after the modules were deleted
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
rm -r "/lib/modules/$K/updates" &&
	/etc/kernel/postinst.d/dkms "$K" "/boot/vmlinuz-$K"

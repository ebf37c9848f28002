#!/bin/sh
# name: a kernel without a package, while another is purged
# image: unknown
# modules: gone
# other: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -i --force-depends "$otherheaders"
# shellcheck disable=SC2066 # a list of packages in other styles
for deb in "$otherimage"; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C / --keep-directory-symlink
done
depmod "$OTHER"
dkms-hooks run postinst "$OTHER" || dkms autoinstall -k "$OTHER"
dpkg -P "linux-image-$K" "linux-headers-$K"

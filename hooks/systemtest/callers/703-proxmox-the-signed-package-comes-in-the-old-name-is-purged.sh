#!/bin/sh
# name: Proxmox: the signed package comes in, the old name is purged
# style: proxmox
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
repack "$image1" /srv/signed.deb "s/^Package: .*/Package: proxmox-kernel-$K-signed/; /^Version:/aConflicts: proxmox-kernel-$K\nReplaces: proxmox-kernel-$K\nProvides: proxmox-kernel-$K" &&
	swap /srv/signed.deb &&
	dpkg -P "proxmox-kernel-$K"

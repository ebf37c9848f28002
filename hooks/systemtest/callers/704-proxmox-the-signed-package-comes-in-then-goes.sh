#!/bin/sh
# name: Proxmox: the signed package comes in, then goes
# style: proxmox
# image: any
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
repack "$image1" /srv/signed.deb "s/^Package: .*/Package: proxmox-kernel-$K-signed/; /^Version:/aConflicts: proxmox-kernel-$K\nReplaces: proxmox-kernel-$K\nProvides: proxmox-kernel-$K" &&
	swap /srv/signed.deb &&
	dpkg -P "proxmox-kernel-$K-signed" "proxmox-kernel-$K" "proxmox-headers-$K"

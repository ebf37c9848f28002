#!/bin/sh
# name: Proxmox: the signed package comes in by apt
# style: proxmox
# image: any
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
repack "$image1" /srv/signed.deb "s/^Package: .*/Package: proxmox-kernel-$K-signed/; /^Version:/aConflicts: proxmox-kernel-$K\nReplaces: proxmox-kernel-$K\nProvides: proxmox-kernel-$K" &&
	apt install /srv/signed.deb

#!/bin/sh
# name: architecture-qualified: apt reinstall of linux-image:amd64
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
cd /srv/kernels &&
	apt install --reinstall "./${image1##*/}" &&
	dpkg -s "linux-image-$K:amd64" >/dev/null

#!/bin/sh
# name: no hook ran: purged while the hooks were away
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
mv /etc/kernel /etc/away &&
	dpkg -P "linux-image-$K" "linux-headers-$K"
mv /etc/away /etc/kernel

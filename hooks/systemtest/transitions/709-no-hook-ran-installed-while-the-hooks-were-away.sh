#!/bin/sh
# name: no hook ran: installed while the hooks were away
# from: fresh
# image: install ok installed
# modules: present

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
mv /etc/kernel /etc/away &&
	dpkg -i "$headers1" "$image1"
rm -rf /etc/kernel
mv /etc/away /etc/kernel

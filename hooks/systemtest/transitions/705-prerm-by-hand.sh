#!/bin/sh
# name: prerm by hand
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
/etc/kernel/prerm.d/dkms "$K"

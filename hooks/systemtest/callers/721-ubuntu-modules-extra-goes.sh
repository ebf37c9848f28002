#!/bin/sh
# name: Ubuntu: modules-extra goes
# style: ubuntu
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P "linux-modules-extra-$K"

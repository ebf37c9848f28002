#!/bin/sh
# name: sid's split: installed over the one package
# style: debian
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_sid

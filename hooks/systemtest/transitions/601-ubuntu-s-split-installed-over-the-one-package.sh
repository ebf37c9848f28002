#!/bin/sh
# name: Ubuntu's split: installed over the one package
# style: builddeb
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_ubuntu

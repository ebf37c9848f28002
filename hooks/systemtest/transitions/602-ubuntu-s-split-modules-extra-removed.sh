#!/bin/sh
# name: Ubuntu's split: modules-extra removed
# style: builddeb
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
split_as_ubuntu &&
	dpkg -P "linux-modules-extra-$K"

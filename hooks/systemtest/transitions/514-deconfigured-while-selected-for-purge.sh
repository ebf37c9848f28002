#!/bin/sh
# name: deconfigured while selected for purge
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
echo "linux-image-$K" purge | dpkg --set-selections
package breaker 1 "Breaks: linux-image-$K"
swap /srv/breaker.deb || :

#!/bin/sh
# name: deconfigured by Breaks
# image: any
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
package breaker 1 "Breaks: linux-image-$K"
swap /srv/breaker.deb || :

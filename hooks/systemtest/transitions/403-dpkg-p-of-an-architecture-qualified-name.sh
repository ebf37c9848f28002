#!/bin/sh
# name: dpkg -P of an architecture-qualified name
# image: unknown
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
dpkg -P "linux-image-$K:amd64" "linux-headers-$K:amd64"

#!/bin/sh
# name: in favour of a package without a kernel
# image: any
# modules: gone

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
package squatter 1 "Conflicts: linux-image-$K" "Replaces: linux-image-$K" &&
	swap /srv/squatter.deb

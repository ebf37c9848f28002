#!/bin/sh
# name: deconfigured since what it needs makes way, then configured
# image: install ok installed
# modules: present
# kept: yes

# shellcheck source=hooks/systemtest/transitions/lib.sh
. /srv/lib.sh
package need 1 &&
	dpkg -i /srv/need.deb &&
	repack "$image1" /srv/needy.deb "/^Depends:/d; /^Version:/aDepends: need" &&
	dpkg -i /srv/needy.deb &&
	package rival 1 "Conflicts: need" "Replaces: need" "Provides: need" &&
	dpkg -i -B --auto-deconfigure /srv/rival.deb &&
	dpkg --configure -a

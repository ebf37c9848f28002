package main

import (
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

const largeWork = "build and install, one large real module beside 4 small"

// The packages of the large module and of the small ones beside it, Debian's own, that
// compile in each suite. The large one has some eighty files of C in four modules and
// needs a minute on two processors; ZFS, with its configure, needs too long for rounds.
const (
	largePackage  = "jool-dkms"
	smallPackages = "acpi-call-dkms bbswitch-dkms v4l2loopback-dkms ddcci-dkms"
)

// registerPackages takes nothing of the packages but the source: their maintainer
// scripts would build it.
const registerPackages = `
rm -r "/var/lib/dkms/$TEMPLATE" "/lib/modules/$K/updates"
depmod -a "$K"
mkdir /srv/packages && cd /srv/packages && apt-get -q download $PACKAGES
for deb in *.deb; do
	mkdir tree && dpkg-deb -x "$deb" tree
	cp -a tree/usr/src/. /usr/src/
	for conf in tree/usr/src/*/dkms.conf; do
		source=${conf%/dkms.conf}
		dkms add "/usr/src/${source##*/}"
	done
	rm -r tree "$deb"
done
[ "$(dkms status | grep -c ': added$')" -eq "$(dkms status | wc -l)" ]
`

// largeRows builds and installs five real modules, of which one takes much longer than
// the others.
func (l *roots) largeRows(t lab.T) []result {
	t.Helper()
	packages := strings.Fields(largePackage + " " + smallPackages)
	configure := hookCall("postinst", l.Kver, "configure 1")
	res := result{suite: l.Name, row: row{work: largeWork, n: len(packages), k: 1, stock: configure, ours: configure}}
	if !l.asked(res.row.work, res.row.n, res.row.k) {
		return nil
	}
	stock := l.common.Fork(t, l.Scratch)
	stock.Must(t, registerPackages, "K="+l.Kver, "TEMPLATE="+template, "PACKAGES="+strings.Join(packages, " "))
	ours := l.InstallOurs(t, stock)
	once := func(from lab.Root, out *costs) {
		r := from.Fork(t, l.Scratch)
		defer r.Drop()
		*out = append(*out, measure(t, r, configure))
		status := r.Must(t, "dkms status -k $K", "K="+l.Kver)
		require.Equal(t, len(packages), strings.Count(status, ": installed"), "%s", status)
	}
	for range l.rounds(3) {
		once(stock, &res.stock)
		once(ours, &res.ours)
	}
	t.Logf("%s", res.line())
	return []result{res}
}

//go:build integration

package systemtest

import "testing"

// smallLab is a pair of roots with real headers and a small part of the real kernel's
// modules, so that depmod costs little. They stand in memory, and hold no DKMS module; one that
// dkms built is /srv/plain.ko, not compressed.
type smallLab struct {
	*speedLab
	stock, ours root
}

func (l *speedLab) newSmallLab(t *testing.T) smallLab {
	t.Helper()
	s := smallLab{speedLab: l, stock: l.common.fork(t, l.bench.scratch)}
	s.stock.must(t, `cd /lib/modules/$K && file=$(ls updates/dkms/*) && case $file in
			*.xz) xz -dc $file >/srv/plain.ko ;;
			*) cp $file /srv/plain.ko ;;
		esac
		rm -r updates kernel/drivers kernel/net kernel/sound /var/lib/dkms/$TEMPLATE && depmod -a $K`, "K="+l.kver, "TEMPLATE="+template)
	l.compile(t, s.stock, "step")
	s.stock.must(t, "mkfifo /srv/processors")
	s.ours = l.installOurs(t, s.stock)
	return s
}

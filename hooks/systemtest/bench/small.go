package main

import "dkms-hooks/hooks/systemtest/lab"

// smallRoots is a pair of roots with real headers and a small part of the real kernel's
// modules, so that depmod costs little. They are in memory, and have no DKMS module; one that
// dkms built is /srv/plain.ko, not compressed.
type smallRoots struct {
	*roots
	stock, ours lab.Root
}

func (l *roots) newSmallRoots(t lab.T) smallRoots {
	t.Helper()
	s := smallRoots{roots: l, stock: l.common.Fork(t, l.Scratch)}
	s.stock.Must(t, `cd /lib/modules/$K && file=$(ls updates/dkms/*) && case $file in
			*.xz) xz -dc $file >/srv/plain.ko ;;
			*) cp $file /srv/plain.ko ;;
		esac
		rm -r updates kernel/drivers kernel/net kernel/sound /var/lib/dkms/$TEMPLATE && depmod -a $K`, "K="+l.Kver, "TEMPLATE="+template)
	l.Compile(t, s.stock, "step")
	s.stock.Must(t, "mkfifo /srv/processors")
	s.ours = l.InstallOurs(t, s.stock)
	return s
}

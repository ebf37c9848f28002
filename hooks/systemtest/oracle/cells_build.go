package oracle

// buildCells are about builds that do not fit their kernel, and modules that are not there.
func buildCells() []Cell {
	cells := []Cell{
		{Name: "other ABI, the headers are those of before", Prepare: "dpkg -i $image3\n", Quick: true},
		{Name: "other ABI, with its headers", Prepare: "dpkg -i $headers3 $image3\n", Quick: true},
		{Name: "other ABI, no symbol versions, the headers are those of before", On: LabPlain, Prepare: "dpkg -i $image3\n"},
		{Name: "no headers, no module", Prepare: "dkms remove alpha/1.0 -k $K; dpkg -r --force-depends linux-headers-$K; dkms add alpha/1.0; dpkg -i $image1\n", Quick: true},
		{Name: "no headers, the module is there", Prepare: "dpkg -r --force-depends linux-headers-$K; dpkg -i $image1\n"},
		{Name: "the installed file is cut off", Prepare: "f=$(ls /lib/modules/$K/updates/dkms/alpha.ko*); head -c 2000 $f >/srv/f; cat /srv/f >$f\n"},
		{Name: "the installed file is gone", Prepare: "rm /lib/modules/$K/updates/dkms/alpha.ko*\n"},
		{Name: "it needs a symbol that nothing has", Prepare: "cd /usr/src/alpha-1.0 && sed -i 's/\"make -C/\"make KBUILD_MODPOST_WARN=1 -C/' dkms.conf && " +
			"sed -i 's/pr_info(\"alpha/nowhere();\\n\\t&/; 1a void nowhere(void);' alpha.c && dkms build --force alpha/1.0 -k $K && dkms install --force alpha/1.0 -k $K\n"},
	}
	for i := range cells {
		c := &cells[i]
		c.Group, c.Module, c.Inside = "build", "alpha", true
		if c.On == "" {
			c.On = Lab
		}
	}
	return cells
}

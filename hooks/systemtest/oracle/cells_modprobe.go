package oracle

const (
	depmod   = "depmod $K\n"
	modprobe = "/etc/modprobe.d/mine.conf\n"
)

// modprobeCells are about the file that modprobe takes, and whether it takes any.
func modprobeCells() []Cell {
	cells := []Cell{
		{Name: "as dkms installs it", Prepare: "", Quick: true},
		{Name: "another file in extra, no rule", Prepare: otherIn("extra") + depmod},
		{Name: "override lets another file win", Prepare: otherIn("extra") + "echo 'override alpha * extra' >/etc/depmod.d/mine.conf\n" + depmod, Quick: true},
		{Name: "search lets another file win", Prepare: otherIn("extra") + "echo 'search extra updates built-in' >/etc/depmod.d/a.conf\n" + depmod},
		{Name: "override of another kernel", Prepare: otherIn("extra") + "echo 'override alpha 5.4.0 extra' >/etc/depmod.d/mine.conf\n" + depmod},
		{Name: "override, depmod not run since", Prepare: otherIn("extra") + depmod + "echo 'override alpha * extra' >/etc/depmod.d/mine.conf\n"},
		{Name: "another file in updates", Prepare: otherIn("updates") + depmod},
		{Name: "excluded from depmod", Prepare: "echo 'exclude dkms' >/etc/depmod.d/x.conf\n" + depmod},
		{Name: "blacklist", Prepare: "echo blacklist alpha >" + modprobe},
		{Name: "install /bin/false", Prepare: "echo install alpha /bin/false >" + modprobe, Quick: true},
		{Name: "an alias of its name", Prepare: "echo alias alpha crc7 >" + modprobe},
		{Name: "an option that it does not have", Prepare: "echo options alpha unknown=1 >" + modprobe},
		{Name: "the name of a driver of the kernel", Prepare: named("crc7") + "dkms install --force crc7/1.0 -k $K\n", Module: "crc7"},
		{Name: "the name of a driver in the kernel's image", Prepare: named("psmouse") + "dkms install --force psmouse/1.0 -k $K\n", Module: "psmouse"},
		{Name: "module_blacklist= on the command line", On: Signed, Line: "module_blacklist=alpha"},
		{Name: "modprobe.blacklist= on the command line", On: Signed, Line: "modprobe.blacklist=alpha"},
	}
	for i := range cells {
		c := &cells[i]
		c.Group, c.Inside = "modprobe", true
		if c.On == "" {
			c.On = Lab
		}
		if c.Module == "" {
			c.Module = "alpha"
		}
	}
	return cells
}

// otherIn puts another build of the module into a directory of the kernel.
func otherIn(dir string) string {
	return "cp -r /usr/src/alpha-1.0 /srv/other && sed -i 's/alpha 1.0 loaded/another/' /srv/other/alpha.c && make -s -C /lib/modules/$K/build M=/srv/other modules >/dev/null 2>&1 && " +
		"mkdir -p /lib/modules/$K/" + dir + " && cp /srv/other/alpha.ko /lib/modules/$K/" + dir + "\n"
}

// named registers the module under another name.
func named(name string) string {
	return "cp -r /usr/src/alpha-1.0 /usr/src/" + name + "-1.0 && cd /usr/src/" + name + "-1.0 && mv alpha.c " + name + ".c && sed -i s/alpha/" + name + "/g * && dkms add " + name + "/1.0\n"
}

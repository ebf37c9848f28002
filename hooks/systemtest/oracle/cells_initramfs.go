package oracle

const (
	listed  = "echo alpha >>/etc/initramfs-tools/modules\n"
	remade  = "update-initramfs -u -k $K\n"
	rebuilt = "sed -i 's/alpha 1.0 loaded/alpha 1.0 again/' /usr/src/alpha-1.0/alpha.c && dkms build --force alpha/1.0 -k $K && dkms install --force alpha/1.0 -k $K\n"
	// standIn is a module of dkms in the place of a driver of the kernel, which udev loads for a
	// device.
	standIn = "rm /etc/initramfs-tools/conf.d/oracle; update-initramfs -u -k $K\nsed -i 's/alpha/virtio_scsi/g' /usr/src/alpha-1.0/*; echo 'MODULE_ALIAS(\"virtio:d00000008v*\");' >>/usr/src/alpha-1.0/alpha.c; " +
		"mv /usr/src/alpha-1.0 /usr/src/virtio_scsi-1.0; mv /usr/src/virtio_scsi-1.0/alpha.c /usr/src/virtio_scsi-1.0/virtio_scsi.c; rm -r /var/lib/dkms/alpha /lib/modules/$K/updates/dkms/alpha.ko*; dkms add virtio_scsi/1.0\n"
)

// initramfsCells are about what an initramfs loads before the root directory is there.
func initramfsCells() []Cell {
	cells := []Cell{
		{Name: "no copy", On: Signed},
		{Name: "the new copy", On: Signed, Prepare: listed + remade},
		{Name: "an older copy", On: Signed, Prepare: listed + remade + rebuilt, Quick: true},
		{Name: "an older copy, the initramfs made by xz", On: Signed, Prepare: listed + "sed -i s/^COMPRESS=.*/COMPRESS=xz/ /etc/initramfs-tools/initramfs.conf\n" + remade + rebuilt},
		{Name: "the module was removed after the initramfs was made", On: Signed, Prepare: listed + remade + "dkms uninstall alpha/1.0 -k $K\n"},
		{Name: "blacklisted on the root, an older copy in the initramfs", On: Signed, Prepare: listed + remade + rebuilt + "echo 'install alpha /bin/false' >/etc/modprobe.d/mine.conf\n"},
		{Name: "in the place of a driver, the initramfs as it was", On: Signed, Prepare: standIn + "dkms install --force virtio_scsi/1.0 -k $K\n", Module: "virtio_scsi"},
		{Name: "in the place of a driver, the initramfs made again", On: Signed, Prepare: standIn + "dkms install --force virtio_scsi/1.0 -k $K\n" + remade, Module: "virtio_scsi"},
		{Name: "in the place of a driver, by the hooks", On: Signed, Prepare: standIn + "dkms-hooks run postinst $K\n", Module: "virtio_scsi"},
	}
	for i := range cells {
		c := &cells[i]
		c.Group, c.Inside = "initramfs", true
		if c.Module == "" {
			c.Module = "alpha"
		} else {
			c.Device = "virtio-scsi-pci"
		}
	}
	return cells
}

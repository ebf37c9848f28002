package oracle

// choiceCells are about which kernel a boot loader starts. $ENTRY and $SECONDENTRY are the
// identifiers of GRUB's entries, which are in the submenu $SUBMENU.
func choiceCells() []Cell {
	saved := "echo GRUB_DEFAULT=saved >>/etc/default/grub\n"
	cells := []Cell{
		{Name: "nothing saved", Starts: GRUB, Prepare: grubConfig},
		{Name: "GRUB_DEFAULT=saved, nothing saved", Starts: GRUB, Prepare: saved + grubConfig},
		{Name: "saved_entry", Starts: GRUB, Prepare: saved + grubConfig + `grub-editenv - set saved_entry="$SUBMENU>$SECONDENTRY"` + "\n"},
		{Name: "next_entry", Starts: GRUB, Prepare: saved + grubConfig + `grub-editenv - set saved_entry=0 next_entry="1>2"` + "\n"},
		{Name: "next_entry, written by the running system", Starts: GRUB, Inside: true, Prepare: saved + grubConfig, Arrange: `grub-editenv - set next_entry="1>2"`},
		{Name: "saved_entry of a kernel that is not there", Starts: GRUB, Prepare: saved + grubConfig + `grub-editenv - set saved_entry="$SUBMENU>gnulinux-6.1.0-1-amd64-advanced-x"` + "\n"},
		{Name: "by number in a submenu", Starts: GRUB, Prepare: "echo 'GRUB_DEFAULT=\"1>2\"' >>/etc/default/grub\n" + grubConfig},
		{Name: "by title in a submenu", Starts: GRUB, Prepare: "echo \"GRUB_DEFAULT='Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux $SECOND'\" >>/etc/default/grub\n" + grubConfig},
		{Name: "by title, without its submenu", Starts: GRUB, Prepare: "echo \"GRUB_DEFAULT='Debian GNU/Linux, with Linux $SECOND'\" >>/etc/default/grub\n" + grubConfig},
		{Name: "no submenu, by number", Starts: GRUB, Prepare: "printf 'GRUB_DISABLE_SUBMENU=y\nGRUB_DEFAULT=2\n' >>/etc/default/grub\n" + grubConfig},
		{Name: "no default", Starts: SystemdBoot, Prepare: entries},
		{Name: "default", Starts: SystemdBoot, Prepare: entries + "echo default m-$SECOND.conf >/efi/loader/loader.conf\n"},
		{Name: "default, a pattern", Starts: SystemdBoot, Prepare: entries + "echo 'default m-6.12.*' >/efi/loader/loader.conf\n"},
		{Name: "no tries left", Starts: SystemdBoot, Prepare: entries + "mv /efi/loader/entries/m-$K.conf /efi/loader/entries/m-$K+0-3.conf\n"},
		{Name: "LoaderEntryOneShot", Starts: SystemdBoot, Inside: true, Prepare: entries, Arrange: efiVariable("LoaderEntryOneShot")},
		{Name: "LoaderEntryDefault", Starts: SystemdBoot, Inside: true, Prepare: entries, Arrange: efiVariable("LoaderEntryDefault")},
		{Name: "default", Starts: Extlinux, Prepare: labels("default second")},
		{Name: "menu default", Starts: Extlinux, Prepare: labels("prompt 0") + `sed -i 's/^label second$/&\nmenu default/' /boot/extlinux/extlinux.conf` + "\n"},
		{Name: "neither, the first label", Starts: Extlinux, Prepare: labels("prompt 0")},
	}
	for i := range cells {
		cells[i].Group, cells[i].On = "choice", Two
	}
	return cells
}

// grubConfig lets Debian's grub-mkconfig write its configuration. Only what asks the disk is
// answered here, since there is none yet.
const grubConfig = `cat >/usr/sbin/grub-probe <<'END'
#!/bin/sh
case "$*" in
*fs_uuid*) echo $DISK ;;
*compatibility_hint* | *hints_string* | *partuuid*) ;;
*target=fs\ * | *"target=fs "*) echo ext2 ;;
*target=device*) echo /dev/vda ;;
*abstraction* | *partmap*) ;;
*) exit 1 ;;
esac
END
sed -i "s/\$DISK/$DISK/" /usr/sbin/grub-probe; chmod 755 /usr/sbin/grub-probe
mkdir -p /boot/grub /etc/default
printf 'GRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR=Debian\nGRUB_TERMINAL=console\nGRUB_DISABLE_OS_PROBER=true\nGRUB_CMDLINE_LINUX="%s"\n' "$LINE" | cat - /etc/default/grub >/srv/grub 2>/dev/null || :
mv /srv/grub /etc/default/grub
grub-editenv - create
mkdir -p /dev/disk/by-uuid; : >/dev/disk/by-uuid/$DISK
grub-mkconfig -o /boot/grub/grub.cfg 2>/srv/mkconfig.log || { cat /srv/mkconfig.log; exit 1; }
SUBMENU=gnulinux-advanced-$DISK ENTRY=gnulinux-$K-advanced-$DISK SECONDENTRY=gnulinux-$SECOND-advanced-$DISK
`

// entries puts both kernels on the EFI system partition, as kernel-install(8) does.
const entries = `mkdir -p /efi/loader/entries /efi/EFI/systemd
for k in $K $SECOND; do
mkdir -p /efi/m/$k; cp /boot/vmlinuz-$k /efi/m/$k/linux; cp /boot/initrd.img-$k /efi/m/$k/initrd
printf 'title Debian\nversion %s\nsort-key debian\nmachine-id m\nlinux /m/%s/linux\ninitrd /m/%s/initrd\noptions root=UUID=%s %s\n' $k $k $k $DISK "$LINE" >/efi/loader/entries/m-$k.conf
done
: >/efi/loader/loader.conf
`

// efiVariable sets a variable of systemd-boot to the entry of the second kernel.
func efiVariable(name string) string {
	return `printf '\007\000\000\000' >/tmp/v; for c in $(printf 'm-%s.conf\000' "$SECOND" | od -An -v -to1); do printf "\\$c\\000" >>/tmp/v; done
cat /tmp/v >/sys/firmware/efi/efivars/` + name + `-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f`
}

// labels writes the configuration of extlinux, with a line at its beginning.
func labels(first string) string {
	return `mkdir -p /boot/extlinux; { printf 'serial 0\n%s\n' "` + first + `"; for l in first second; do
[ $l = first ] && k=$K || k=$SECOND
printf 'label %s\nlinux /boot/vmlinuz-%s\ninitrd /boot/initrd.img-%s\nappend root=UUID=%s %s\n' $l $k $k $DISK "$LINE"; done; } >/boot/extlinux/extlinux.conf
`
}

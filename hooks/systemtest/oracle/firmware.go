package oracle

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// inFirmware returns a command that runs a script in the root with the firmware, whose /srv is
// a directory and whose /tree is a machine's root.
func (o *Oracle) inFirmware(ctx context.Context, dir, tree, script string) *exec.Cmd {
	const enter = `mount --bind "$1" "$0/srv"; mount --bind "$2" "$0/mnt"; mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"
exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root sh -euc "cd /srv; $3"`
	return exec.CommandContext(ctx, "unshare", "-m", "-p", "-f", "--kill-child", "sh", "-euc", enter, o.firmware.Dir, dir, tree, script)
}

// makeFirmware makes the variables of UEFI and the EFI system partition of a cell, or installs
// extlinux on its disk.
func (o *Oracle) makeFirmware(t lab.T, c Cell, r lab.Root, dir string) {
	t.Helper()
	key, err := os.ReadFile(r.Path("var/lib/dkms/mok.pub"))
	if err == nil {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "mok.der"), key, 0o644))
	}
	script := map[Starter]string{GRUB: grubPartition, SystemdBoot: systemdBootPartition, Extlinux: extlinuxDisk}[c.Starts]
	if c.Starts != Extlinux {
		vars := "OVMF_VARS_4M.fd"
		if c.Secure {
			vars = "OVMF_VARS_4M.ms.fd"
		}
		script += "cp /usr/share/OVMF/" + vars + " vars.fd\n"
	}
	if c.Variables != "" {
		script += variableFiles + "virt-fw-vars --input vars.fd --output new.fd " + c.Variables + " >vars.log 2>&1 || { cat vars.log; exit 1; }\nmv new.fd vars.fd\n"
	}
	out, err := o.inFirmware(context.Background(), dir, r.Dir, script).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// variableFiles makes what the options of virt-fw-vars name.
const variableFiles = `[ ! -e mok.der ] || openssl x509 -inform der -in mok.der -out mok.pem
printf '{"version":2,"variables":[{"name":"MokSBState","guid":"605dab50-e046-4300-abb6-3dd810dd8b23","attr":3,"data":"01"}]}' >moksb.json
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
number() { printf '%08x' $1 | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/'; }
[ ! -e mok.der ] || { size=$(($(wc -c <mok.der) + 16)); data=a159c0a5e494a74a87b5ab155c2bf072$(number $((size + 28)))00000000$(number $size)` + "00000000000000000000000000000001" + `$(hex mok.der)
printf '{"version":2,"variables":[{"name":"dbx","guid":"d719b2cb-3d3a-4596-a3bc-dad00e67656f","attr":39,"data":"%s"}]}' $data >dbx.json; }
`

// partition makes an empty EFI system partition.
const partition = "rm -f esp.img; mkfs.vfat -n ESP -C esp.img $(($(du -sk /mnt/efi 2>/dev/null | cut -f1 || echo 0) + 40000)) >/dev/null; mmd -i esp.img ::EFI ::EFI/BOOT; "

const grubPartition = partition + `mmd -i esp.img ::EFI/debian
mcopy -i esp.img /usr/lib/shim/shimx64.efi.signed ::EFI/BOOT/BOOTX64.EFI
mcopy -i esp.img /usr/lib/shim/mmx64.efi.signed ::EFI/BOOT/mmx64.efi
mcopy -i esp.img /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed ::EFI/BOOT/grubx64.efi
printf 'search.fs_uuid ` + diskID + ` root\nset prefix=(\044root)/boot/grub\nconfigfile \044prefix/grub.cfg\n' >grub.cfg
mcopy -i esp.img grub.cfg ::EFI/debian/grub.cfg
`

const systemdBootPartition = partition + `mcopy -i esp.img /usr/lib/systemd/boot/efi/systemd-bootx64.efi ::EFI/BOOT/BOOTX64.EFI
mcopy -s -i esp.img /mnt/efi/m /mnt/efi/loader ::
mcopy -s -i esp.img /mnt/efi/EFI/systemd ::EFI
`

// extlinuxDisk installs extlinux, for which the file system is mounted.
const extlinuxDisk = `mkdir -p /tmp/disk; mount -o loop disk.img /tmp/disk; extlinux --install /tmp/disk/boot/extlinux >/dev/null 2>&1; umount /tmp/disk
`

// copySystemdBoot puts systemd-boot on the EFI system partition of a root.
func (o *Oracle) copySystemdBoot(t lab.T, r lab.Root) {
	t.Helper()
	const name = "systemd-bootx64.efi"
	program, err := os.ReadFile(filepath.Join(o.firmware.Dir, "usr/lib/systemd/boot/efi", name))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(r.Path("efi/EFI/systemd"), 0o755))
	require.NoError(t, os.WriteFile(r.Path("efi/EFI/systemd", name), program, 0o644))
}

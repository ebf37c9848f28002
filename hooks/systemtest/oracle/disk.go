package oracle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// diskID is the UUID of the file system of the root directory.
const diskID = "0a1b0000-0000-4000-8000-000000000001"

// guestLine is the command line of every guest. On a busy machine the emulated timer is late, for
// which a kernel panics that checks it.
const guestLine = "console=ttyS0 quiet rw panic=-1 no_timer_check nokaslr mitigations=off init=/srv/oracle/init"

// writeGuest puts what the guest runs into a root.
func (o *Oracle) writeGuest(t lab.T, c Cell, r lab.Root, env []string) {
	t.Helper()
	dir := r.Path("srv", "oracle")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	script, err := os.ReadFile(filepath.Join(o.Top, "testdata", "lab", "oracleguest"))
	require.NoError(t, err)
	files := map[string]string{"init": string(script)}
	if c.Module != "" {
		files["module"] = c.Module
	}
	if c.Inside {
		files["predict"] = ""
	} else if c.Module == "" {
		files["others"] = ""
	}
	if c.Starts == SystemdBoot {
		files["esp"] = ""
	}
	if c.Arrange != "" {
		files["arrange"] = strings.Join(env, "\n") + "\n" + c.Arrange + "\n"
	}
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
}

// left are the directories that no guest needs.
func left() []string {
	return []string{"debs", "efi/m", "efi/EFI", "usr/lib/gcc", "usr/libexec/gcc", "usr/include", "usr/share/doc", "usr/share/man", "usr/share/locale",
		"usr/share/i18n", "usr/lib/x86_64-linux-gnu/gconv", "var/cache", "var/lib/apt/lists", "kernel-subset"}
}

// makeDisk makes what a machine boots from: a file system of its root, or an initramfs.
func (o *Oracle) makeDisk(t lab.T, c Cell, m machine, dir string) {
	t.Helper()
	if c.On.tiny() {
		makeInitramfs(t, m, filepath.Join(dir, "initramfs"))
		return
	}
	script := `for d; do [ ! -d "$ROOT/$d" ] || mount -t tmpfs none "$ROOT/$d"; done
exec mke2fs -q -F -t ext4 -U ` + diskID + ` -O ^orphan_file,^metadata_csum_seed,^metadata_csum -d "$ROOT" "$DISK" 900M`
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-euc", script, "sh"}, left()...)...)
	cmd.Env = append(os.Environ(), "ROOT="+m.Dir, "DISK="+filepath.Join(dir, "disk.img"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// makeInitramfs makes an initramfs of what modprobe and dkms-hooks read in a root, for a kernel
// without disks.
func makeInitramfs(t lab.T, m machine, file string) {
	t.Helper()
	const script = `tree=$(mktemp -d -p "${FILE%/*}"); cd "$ROOT"
mkdir -p "$tree"/usr/bin "$tree"/usr/sbin "$tree"/usr/lib64 "$tree"/usr/lib "$tree"/proc "$tree"/sys "$tree"/tmp
for d in bin sbin lib lib64; do ln -s usr/$d "$tree"/$d; done
cp "$(command -v busybox)" "$tree"/bin/busybox
for a in $("$tree"/bin/busybox --list); do [ -e "$tree/usr/bin/$a" ] || ln -s busybox "$tree/usr/bin/$a"; done
{ chroot . ldd /usr/bin/kmod | sed -n 's|^[^/]*/\([^ ]*\) (0x.*|\1|p'; ls -d lib/*-linux-gnu/liblzma.so.5 lib/*-linux-gnu/libz.so.1 lib/*-linux-gnu/libzstd.so.1 2>/dev/null; } | sort -u |
	while read -r f; do mkdir -p "$tree/${f%/*}"; cp -L "$f" "$tree/$f"; done
cp usr/bin/kmod "$tree"/usr/bin/kmod; ln -s ../bin/kmod "$tree"/usr/sbin/modprobe
for f in etc boot srv/oracle usr/lib/modprobe.d usr/lib/depmod.d usr/lib/os-release usr/src usr/libexec/dkms-hooks usr/sbin/dkms usr/sbin/dkms-hooks \
	var/lib/dkms var/lib/dkms-hooks var/lib/dpkg "usr/lib/modules/$KERNEL"; do
	[ ! -e $f ] || { mkdir -p "$tree/$(dirname $f)"; cp -a $f "$tree/$f"; }
done
cd "$tree"; find . | cpio -o -H newc --quiet >"$FILE"; rm -r "$tree"`
	cmd := exec.Command("sh", "-euc", script)
	cmd.Env = append(os.Environ(), "ROOT="+m.Dir, "FILE="+file, "KERNEL="+m.kernel)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

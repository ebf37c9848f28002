package hooks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeadersAreNamedAfterTheImage(t *testing.T) {
	for image, want := range map[string]string{
		"linux-image-6.1.0":                  "linux-headers-6.1.0",
		"linux-image-unsigned-6.8.0-generic": "linux-headers-6.8.0-generic",
		"linux-image-6.1.0-signed":           "linux-headers-6.1.0",
		"linux-image-current-rockchip64":     "linux-headers-current-rockchip64",
		"proxmox-kernel-6.8.12-1-pve-signed": "proxmox-headers-6.8.12-1-pve",
		"raspberrypi-kernel":                 "raspberrypi-kernel-headers",
		"odd":                                "linux-headers-6.1.0-wsl2",
	} {
		t.Run(image, func(t *testing.T) {
			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + t.TempDir()})
			require.NoError(t, err)
			inv.Kernel = "6.1.0-WSL2"
			inv.AdminDir = databaseOf(t, image, "/boot/vmlinuz-6.1.0-WSL2\n")
			assert.Equal(t, want, headersNames(inv)[0])
			assert.Contains(t, headersNames(inv), "linux-headers-6.1.0-wsl2", "the names of packages are in lower case (Policy 5.6.7)")
		})
	}
}

// A package of headers that keeps its name may be installed in another version than the image.
func TestHeadersThatAreInstalled(t *testing.T) {
	const image, headers = "linux-image-current-rockchip64", "linux-headers-current-rockchip64"
	for name, row := range map[string]struct{ installed, files, want, elsewhere string }{
		"not there":            {"other", "", "install " + headers, "install " + headers + " in /image"},
		"of the kernel":        {headers, "/usr/src/linux-headers-6.1.0/Makefile\n", "apt reinstall " + headers + " (its files are missing)", "chroot /image apt reinstall " + headers + " (its files are missing)"},
		"of another kernel":    {headers, "/usr/src/linux-headers-6.1.0-1/Makefile\n/lib/modules/6.1.0.1/build\n", "apt install " + headers + " (version 1, which is installed, is for another kernel)", "chroot /image apt install " + headers + " (version 1, which is installed, is for another kernel)"},
		"its directory":        {headers, "/lib/modules/6.1.0/build\n", "apt reinstall " + headers + " (its files are missing)", "chroot /image apt reinstall " + headers + " (its files are missing)"},
		"named by the release": {"linux-headers-6.1.0", "/usr/share/doc/x\n", "apt reinstall linux-headers-6.1.0 (its files are missing)", "chroot /image apt reinstall linux-headers-6.1.0 (its files are missing)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := databaseOf(t, image, "/boot/vmlinuz-6.1.0\n")
			status, err := os.ReadFile(filepath.Join(dir, "status"))
			require.NoError(t, err)
			status = append(status, "\nPackage: "+row.installed+"\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"...)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "status"), status, 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "info", row.installed+".list"), []byte(row.files), 0o644))
			inv, err := ParseSurroundings(nil)
			require.NoError(t, err)
			inv.AdminDir, inv.Kernel = dir, "6.1.0"
			assert.Equal(t, row.want, headersFix(inv))
			inv.Root = "/image"
			assert.Equal(t, row.elsewhere, headersFix(inv))
		})
	}
}

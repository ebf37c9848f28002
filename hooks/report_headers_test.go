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
	} {
		t.Run(image, func(t *testing.T) {
			root := t.TempDir()
			dpkg := filepath.Join(root, "var/lib/dpkg")
			require.NoError(t, os.MkdirAll(filepath.Join(dpkg, "info"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dpkg, "status"),
				[]byte("Package: "+image+"\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dpkg, "info", image+".list"), []byte("/boot/vmlinuz-6.1.0\n"), 0o644))
			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + root})
			require.NoError(t, err)
			inv.Kernel = "6.1.0"
			assert.Equal(t, want, headersNames(inv)[0])
			assert.Contains(t, headersNames(inv), "linux-headers-6.1.0")
		})
	}
}

package hooks

import (
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
			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + t.TempDir()})
			require.NoError(t, err)
			inv.AdminDir = databaseOf(t, image, "/boot/vmlinuz-6.1.0\n")
			inv.Kernel = "6.1.0"
			assert.Equal(t, want, headersNames(inv)[0])
			assert.Contains(t, headersNames(inv), "linux-headers-6.1.0")
		})
	}
}

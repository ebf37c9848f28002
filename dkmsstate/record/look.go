package record

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/regular"
)

// looksDir contains a file for each kernel whose initramfs was read.
const looksDir = "initramfs-contents"

// ReadLook returns what was last found in the initramfs of a kernel, and reports whether anything
// is recorded.
func ReadLook(l dkmsstate.Layout, kernel dkmsstate.Release) (initramfs.Look, bool) {
	data, err := regular.ReadFile(lookFile(l, kernel))
	var look initramfs.Look
	if err != nil || json.Unmarshal(data, &look) != nil {
		return initramfs.Look{}, false
	}
	return look, true
}

// WriteLook records what was found in the initramfs of a kernel. Whoever reads the same
// files finds the same, so that several may do this at once.
func WriteLook(l dkmsstate.Layout, kernel dkmsstate.Release, look initramfs.Look) error {
	data, err := json.Marshal(look)
	if err == nil {
		err = writeOwn(l, filepath.Join(looksDir, string(kernel)), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("cannot record what the initramfs contains: %w", err)
	}
	return nil
}

// RemoveLook removes what is recorded about the initramfs of a kernel.
func RemoveLook(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	if err := removeIfThere(lookFile(l, kernel)); err != nil {
		return fmt.Errorf("cannot remove what is recorded about the initramfs: %w", err)
	}
	return nil
}

func lookFile(l dkmsstate.Layout, kernel dkmsstate.Release) string {
	return filepath.Join(l.Path(dkmsstate.StateDir), looksDir, string(kernel))
}

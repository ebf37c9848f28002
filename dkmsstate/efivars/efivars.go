// Package efivars reads the variables of UEFI that the kernel shows in efivarfs. A variable that
// cannot be read is another case than one that does not exist.
package efivars

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate/regular"
)

// Dir is the path of the directory where the kernel shows the variables.
const Dir = "/sys/firmware/efi/efivars"

// The vendors of variables.
const (
	// Firmware is the vendor of the variables that the UEFI specification defines (3.3).
	Firmware = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
	// Database is the vendor of db and dbx (UEFI specification, 32.4.1).
	Database = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
	// Loader is the vendor of the variables of boot loaders (Boot Loader Interface).
	Loader = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
	// Shim is the vendor of the variables of shim.
	Shim = "605dab50-e046-4300-abb6-3dd810dd8b23"
)

// NonVolatile is the attribute of a variable that survives a reboot (EFI_VARIABLE_NON_VOLATILE).
const NonVolatile = 1

// Variables is the variables of the machine whose root directory has a path. The zero value has
// none.
type Variables struct{ root string }

// At returns the variables that the kernel shows below a root directory.
func At(root string) Variables { return Variables{root} }

// Visible reports whether any variable is shown. UEFI always has some.
func (v Variables) Visible() bool {
	if v.root == "" {
		return false
	}
	entries, err := os.ReadDir(filepath.Join(v.root, Dir))
	return err == nil && len(entries) > 0
}

// maxSize bounds the size of a variable, in bytes.
const maxSize = 1 << 20

// Read returns the value of a variable and its attributes, which precede the value as four bytes
// (efivarfs in the kernel's documentation). The error is fs.ErrNotExist if there is none.
func (v Variables) Read(name, vendor string) (value []byte, attributes uint32, err error) {
	file := filepath.Join(v.root, Dir, name+"-"+vendor)
	if v.root == "" {
		return nil, 0, &fs.PathError{Op: "read", Path: file, Err: fs.ErrNotExist}
	}
	data, err := regular.ReadAtMost(file, maxSize)
	const head = 4
	if err == nil && len(data) < head {
		err = &fs.PathError{Op: "read", Path: file, Err: errors.New("the variable is truncated")}
	}
	if err != nil {
		return nil, 0, err
	}
	return data[head:], binary.LittleEndian.Uint32(data), nil
}

// Package initramfstest makes initramfs archives for tests.
package initramfstest

import (
	"bytes"
	"cmp"
	"fmt"
)

// File is a file of an archive.
type File struct {
	Name string
	// Data are the contents, or the target of a link.
	Data []byte
	// Mode is that of stat(2). It is that of a regular file if it is zero.
	Mode int
}

// Link is the mode of a symbolic link.
const Link = 0o120777

// Archive returns a cpio archive in the format "newc".
func Archive(files ...File) []byte {
	var out bytes.Buffer
	for i, f := range append(files, File{Name: "TRAILER!!!"}) {
		mode := cmp.Or(f.Mode, 0o100644)
		if i == len(files) {
			mode = 0
		}
		fmt.Fprintf(&out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", i, mode, 0, 0, 1, 0, len(f.Data), 0, 0, 0, 0, len(f.Name)+1, 0)
		out.WriteString(f.Name + "\x00")
		pad(&out)
		out.Write(f.Data)
		pad(&out)
	}
	return out.Bytes()
}

func pad(out *bytes.Buffer) { out.Write(make([]byte, -out.Len()&3)) }

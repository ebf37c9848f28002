package dkmsstate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"dkms-hooks/dkmsstate/kmod"
)

// KernelFacts is what builds are compared with. Each function reads its files once, when it is
// first called.
type KernelFacts struct {
	// Stamps identifies the state of the files (OriginFiles) that the facts come from.
	Stamps  string
	Origin  func() Origin
	Own     func() []kmod.Module
	Sample  func() []string
	Symvers func() map[string]kmod.Export
}

// Origin identifies what builds for a kernel start from and what they have to fit, by the
// contents of files. A field is "" if its file does not exist.
type Origin struct {
	// Symvers, Conf and Uts are of the headers: Module.symvers, auto.conf (which also names the
	// compiler), and the number and date of the kernel's build.
	Symvers string `json:"symvers,omitempty"`
	Conf    string `json:"conf,omitempty"`
	Uts     string `json:"uts,omitempty"`
	// Map and Config are of the image: its System.map and its configuration.
	Map    string `json:"map,omitempty"`
	Config string `json:"config,omitempty"`
}

// OriginFiles returns the files whose stamps show that a kernel or its headers were unpacked
// again.
func (l Layout) OriginFiles(kernel Release) []string {
	build, dir := l.HeadersDir(kernel), l.KernelDir(kernel)
	return []string{
		filepath.Join(build, "Module.symvers"),
		filepath.Join(build, "include/config/auto.conf"),
		filepath.Join(build, "include/generated/utsversion.h"),
		filepath.Join(build, "include/generated/compile.h"),
		l.ImageFile(kernel, "System.map"),
		l.ImageFile(kernel, "config"),
		l.ImageFile(kernel, "vmlinuz"),
		filepath.Join(dir, "modules.builtin"),
		filepath.Join(dir, "modules.order"),
	}
}

// Unpacked identifies the present state of the files that the packages of a kernel and of its
// headers contain.
func (s Snapshot) Unpacked() string { return StampFiles(s.Layout.OriginFiles(s.Kernel)...) }

// ID returns a short hash of the origin.
func (o Origin) ID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", o))
	return hex.EncodeToString(sum[:8])
}

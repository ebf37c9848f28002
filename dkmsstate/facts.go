package dkmsstate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"dkms-hooks/dkmsstate/kmod"
)

// KernelFacts is what builds are compared with. What takes its time is read at most
// once, and only when it is asked for.
type KernelFacts struct {
	// Stamps name the state of the files behind it.
	Stamps  string
	Origin  func() Origin
	Own     func() []kmod.Module
	Sample  func() []string
	Symvers func() map[string]kmod.Export
}

// Origin is what builds for a kernel start from and what they have to fit, by the
// contents of files; "" stands for a file that is not there.
type Origin struct {
	// Symvers, Conf and Uts are of the headers: Module.symvers, auto.conf (which
	// names the compiler too), and the number and date of the kernel's build.
	Symvers string `json:"symvers,omitempty"`
	Conf    string `json:"conf,omitempty"`
	Uts     string `json:"uts,omitempty"`
	// Map and Config are of the image: System.map and config-KVER in /boot.
	Map    string `json:"map,omitempty"`
	Config string `json:"config,omitempty"`
}

// OriginFiles are the files whose stamps tell that a kernel or its headers were
// unpacked again.
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

// Unpacked names the present state of the files that the packages of a kernel and of its
// headers bring.
func (s Snapshot) Unpacked() string { return StampFiles(s.Layout.OriginFiles(s.Kernel)...) }

// ID names an origin.
func (o Origin) ID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", o))
	return hex.EncodeToString(sum[:8])
}

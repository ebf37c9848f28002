package signing

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/boottime"
	"dkms-hooks/dkmsstate/efivars"
	"dkms-hooks/dkmsstate/regular"
)

// Host is where the running kernel shows the firmware's variables, its own settings and its keys.
// The zero value knows nothing: it is for another root, and for a container.
type Host struct {
	root string
	// assumed is whether Secure Boot is on, as somebody says who knows it.
	assumed state
}

// System returns the Host of the running system.
func System() Host { return Host{root: "/"} }

// Assumed returns a Host of which nothing is known but whether Secure Boot is on.
func Assumed(secureBoot bool) Host {
	if secureBoot {
		return Host{assumed: yes}
	}
	return Host{assumed: no}
}

// HostAt returns a Host whose /proc and /sys are below a directory, for tests.
func HostAt(dir string) Host { return Host{root: dir} }

// maxFile bounds what is read of a file of the kernel, in bytes.
const maxFile = 1 << 20

// read returns the contents of a file of the kernel. The error is fs.ErrNotExist if it certainly
// does not exist.
func (h Host) read(path string) ([]byte, error) {
	if h.root == "" {
		return nil, errors.New("the firmware of the machine is not known")
	}
	return regular.ReadAtMost(filepath.Join(h.root, path), maxFile)
}

// exists reports whether a path exists. known is false if that cannot be determined.
func (h Host) exists(path string) (exists, known bool) {
	if h.root == "" {
		return false, false
	}
	_, err := os.Stat(filepath.Join(h.root, path))
	return err == nil, err == nil || errors.Is(err, fs.ErrNotExist)
}

const (
	efiDir = "/sys/firmware/efi"
	mokDir = efiDir + "/mok-variables"
)

// variables returns the variables of UEFI.
func (h Host) variables() efivars.Variables { return efivars.At(h.root) }

// has reports whether a variable of shim exists.
func (h Host) has(name string) bool {
	exists, _ := h.exists(efivars.Dir + "/" + name + "-" + efivars.Shim)
	return exists
}

// state is a fact, as far as it is known.
type state int

const (
	unknown state = iota
	no
	yes
)

// efi reports whether the firmware is UEFI. A container has an empty directory in the place of
// /sys/firmware.
func (h Host) efi() state {
	efi, known := h.exists(efiDir)
	switch {
	case !known:
		return unknown
	case efi:
		return yes
	case h.hasEntries("/sys/firmware"):
		return no
	}
	return unknown
}

// secureBoot reports whether the kernel sees Secure Boot as on (efi_get_secureboot in the
// kernel's EFI stub): SecureBoot is 1, SetupMode is 0, and shim does not say in MokSBStateRT that
// its owner switched validation off. A variable of that name that survives a reboot is not
// shim's. The second value is why it is not known.
func (h Host) secureBoot() (state, string) {
	if h.assumed != unknown {
		return h.assumed, ""
	}
	switch h.efi() {
	case unknown:
		return unknown, "whether Secure Boot is on is not known here"
	case no:
		return no, ""
	}
	if h.has("MokSB") {
		return unknown, "a change of the validation in shim waits for a reboot"
	}
	on, _, err := h.variables().Read("SecureBoot", efivars.Firmware)
	setup, _, setupErr := h.variables().Read("SetupMode", efivars.Firmware)
	off, attributes, offErr := h.variables().Read("MokSBStateRT", efivars.Shim)
	switch {
	case errors.Is(err, fs.ErrNotExist) && h.variables().Visible():
		return no, ""
	case err != nil || len(on) != 1:
		return unknown, "the variable SecureBoot of the firmware cannot be read"
	case on[0] != 1:
		return no, ""
	case setupErr != nil || len(setup) != 1:
		return unknown, "the variable SetupMode of the firmware cannot be read"
	case setup[0] == 1:
		return no, ""
	case errors.Is(offErr, fs.ErrNotExist):
		return yes, ""
	case offErr != nil || len(off) != 1 || attributes&efivars.NonVolatile != 0:
		return unknown, "the variable MokSBStateRT of shim cannot be read"
	case off[0] == 1:
		return no, ""
	}
	return yes, ""
}

// hasEntries reports whether a directory is known to contain anything.
func (h Host) hasEntries(dir string) bool {
	if h.root == "" {
		return false
	}
	entries, err := os.ReadDir(filepath.Join(h.root, dir))
	return err == nil && len(entries) > 0
}

// enforces reports whether the running kernel rejects modules without a valid signature, as far
// as it shows it.
func (h Host) enforces() state {
	sig, sigErr := h.read("/sys/module/module/parameters/sig_enforce")
	lockdown, lockErr := h.read("/sys/kernel/security/lockdown")
	switch {
	case sigErr == nil && bytes.HasPrefix(sig, []byte("Y")),
		lockErr == nil && (bytes.Contains(lockdown, []byte("[integrity]")) || bytes.Contains(lockdown, []byte("[confidentiality]"))):
		return yes
	case sigErr == nil && lockErr == nil && bytes.HasPrefix(sig, []byte("N")) && bytes.Contains(lockdown, []byte("[none]")):
		return no
	}
	return unknown
}

// commandLine returns the command line of the running kernel, "" if it is not known.
func (h Host) commandLine() string {
	data, err := h.read("/proc/cmdline")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// mayHaveChanged reports whether a file exists and may have changed since the running kernel was
// started.
func (h Host) mayHaveChanged(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	if h.root == "" {
		return true
	}
	started, known := boottime.At(h.root)
	return !known || !dkmsstate.Changed(info).Before(started)
}

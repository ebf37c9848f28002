package signing

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// options are those of a kernel's configuration that decide about signatures, without CONFIG_.
type options map[string]string

// secureBootLockdown is the name under which options have the distributions' option that locks a
// kernel down under Secure Boot. Its real name differs from one to the other.
const secureBootLockdown = "LOCK_DOWN…SECURE_BOOT"

// wanted reports whether an option decides about signatures.
func wanted(name string) bool {
	return slices.Contains([]string{
		"MODULE_SIG", "MODULE_SIG_FORCE", "SECURITY_LOCKDOWN_LSM_EARLY", "LOCK_DOWN_KERNEL_FORCE_INTEGRITY", "LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY",
		"EFI", "EFI_DISABLE_RUNTIME", "IMA_ARCH_POLICY", "IMA_SECURE_AND_OR_TRUSTED_BOOT", "LOAD_UEFI_KEYS",
		"INTEGRITY_PLATFORM_KEYRING", "INTEGRITY_MACHINE_KEYRING", "INTEGRITY_CA_MACHINE_KEYRING", "SECONDARY_TRUSTED_KEYRING",
		"SECURITY_LOADPIN_ENFORCE", "CMDLINE", "CMDLINE_OVERRIDE", "CMDLINE_FORCE", "CRYPTO_RSA", "CRYPTO_SHA256", "CRYPTO_SHA512",
	}, name)
}

// parseOptions parses a kernel's configuration. It returns nil if it is not that of a kernel with
// modules.
func parseOptions(config []byte) options {
	found := options{}
	modules := false
	for line := range bytes.Lines(config) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		name, ok := strings.CutPrefix(name, "CONFIG_")
		modules = modules || ok && name == "MODULES" && value == "y"
		switch {
		case !ok:
		case wanted(name):
			found[name] = strings.Trim(value, `"`)
		case strings.Contains(name, "LOCK_DOWN") && strings.Contains(name, "SECURE_BOOT"):
			found[secureBootLockdown] = value
		}
	}
	if !modules {
		return nil
	}
	return found
}

// on reports whether the options are built in.
func (o options) on(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return o[name] != "y" })
}

// readOptions reads the configuration of a kernel, from beside its image, from the directory of its
// modules, and, of the running kernel, from itself. It returns an error if there is none, or if
// two of them differ.
func readOptions(l dkmsstate.Layout, kernel dkmsstate.Release, h Host) (options, error) {
	var found options
	places := [][]byte{}
	for _, path := range []string{filepath.Join(l.KernelDir(kernel), "config"), l.Path("/boot/config-" + string(kernel))} {
		if data, err := regular.ReadFile(path); err == nil {
			places = append(places, data)
		}
	}
	if kernel == l.Running {
		places = append(places, h.config())
	}
	for _, data := range places {
		o := parseOptions(data)
		if o != nil && found != nil && !maps.Equal(o, found) {
			return nil, fmt.Errorf("there are two different configurations of the kernel")
		}
		if o != nil {
			found = o
		}
	}
	if found == nil {
		return nil, fmt.Errorf("the configuration of the kernel is not there")
	}
	return found, nil
}

// config returns the configuration that the running kernel shows, nil if it shows none.
func (h Host) config() []byte {
	packed, err := h.read("/proc/config.gz")
	if err != nil {
		return nil
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	const most = 8 << 20
	data, err := io.ReadAll(io.LimitReader(z, most+1))
	if err != nil || len(data) > most {
		return nil
	}
	return data
}

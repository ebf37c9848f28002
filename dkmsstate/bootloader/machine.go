package bootloader

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/dkmsstate/shvars"
)

// Machine is a root directory, and whether it is that of the running system.
type Machine struct {
	Layout dkmsstate.Layout
	// Booted reports whether the running system was booted from this root. In a chroot, in a
	// container and in an image, the firmware and the devices are those of another system.
	Booted bool
	// Unclear reports whether that cannot be determined. No boot loader decides then: what the
	// firmware starts is not known.
	Unclear bool
	// Image reports whether a kernel has an image that it can be started from. If it is nil,
	// only images with one of the usual names count (Layout.ImageThere).
	Image func(dkmsstate.Release) bool
}

// loader is a boot loader that is configured below the root.
type loader struct {
	name string
	// next returns the kernel that it starts.
	next func() Choice
}

// Next returns the kernel that starts at the next boot.
func (m Machine) Next() Choice {
	found := m.loaders()
	if Contained(m.Layout) && m.Newest() != "" {
		return unknown("", "this is a container: its host selects the kernel")
	}
	if why := m.kexec(); why != "" {
		return unknown("", why)
	}
	if m.Booted {
		started, err := m.firmware().started()
		if err != nil {
			return unknown("", err.Error())
		}
		found = slices.DeleteFunc(found, func(l loader) bool {
			return started != "" && !l.startedAs(started) || started == "" && m.excludes(l)
		})
		if len(found) == 0 && started != "" {
			return unknown(started, started+" started this system, and its configuration was not found")
		}
		if started != "" {
			return m.only(found)
		}
	}
	if err := m.hidden(); err != nil {
		return unknown("", err.Error())
	}
	return m.only(found)
}

// kexec returns why a reboot may start a kernel by kexec(8), so that no boot loader decides, "" if
// nothing is known to do so: /etc/default/kexec and the snippets after it, as kexec-tools reads them.
func (m Machine) kexec() string {
	const loaded, config, snippets = "/sys/kernel/kexec_loaded", "/etc/default/kexec", "/etc/default/kexec.d"
	if state, err := m.read(loaded); m.Booted && err == nil && strings.TrimSpace(string(state)) == "1" {
		return "a kernel is loaded for kexec"
	}
	files := []string{config}
	entries, _ := os.ReadDir(m.inside(snippets))
	for _, e := range entries {
		if dkmsstate.RunPartsName(e.Name()) {
			files = append(files, path.Join(snippets, e.Name()))
		}
	}
	var as shvars.Assignments
	for _, file := range files {
		var err error
		if as, _, err = as.SourceIfThere(m.inside(file)); err != nil {
			return fmt.Sprintf("%s cannot be read: %v", file, regular.WithoutPath(err))
		}
	}
	switch value, known := as.Value("LOAD_KEXEC"); {
	case !known:
		return "whether LOAD_KEXEC is set in " + strings.Join(files, ", ") + " is not known"
	case value == "true":
		return "kexec starts a kernel at each reboot (LOAD_KEXEC in " + strings.Join(files, ", ") + ")"
	}
	return ""
}

// Contained reports whether the layout is that of a container in which this program runs, or of an
// image of one that is the root directory.
func Contained(layout dkmsstate.Layout) bool {
	m := Machine{Layout: layout}
	return layout.Root == "/" && len(m.existing("/run/systemd/container", "/run/.containerenv", "/.dockerenv")) > 0
}

// unclear is why no boot loader decides in a Machine that is Unclear.
const unclear = "whether the system was booted from this root directory cannot be determined: only root can, and not in a chroot (use --root from outside) or without the modules of the running kernel"

// only returns the kernel that the only boot loader starts.
func (m Machine) only(found []loader) Choice {
	switch len(found) {
	case 0:
		return m.withoutLoader()
	case 1:
		if m.Unclear {
			return unknown(found[0].name, unclear)
		}
		return m.checkPins(found[0].next())
	}
	var names []string
	for _, l := range found {
		names = append(names, l.name)
	}
	return unknown("", "more than one boot loader is configured: "+strings.Join(names, ", "))
}

// startedAs reports whether a boot loader is the one that the firmware named. What
// proxmox-boot-tool configures is systemd-boot or GRUB.
func (l loader) startedAs(name string) bool {
	return l.name == name || l.name == proxmoxName && (name == systemdBootName || name == grubName)
}

// excludes reports whether the running system cannot have been started by a boot loader:
// systemd-boot needs UEFI, and leaves its name in a variable of the firmware, which is not
// there.
func (m Machine) excludes(l loader) bool {
	return l.name == systemdBootName && (m.exists("/sys/firmware") && !m.exists("/sys/firmware/efi") || m.firmware().readable())
}

// loaders returns the boot loaders that are configured below the root.
func (m Machine) loaders() []loader {
	if m.exists("/etc/kernel/proxmox-boot-uuids") {
		return []loader{{proxmoxName, m.proxmox}}
	}
	var found []loader
	for _, l := range []struct {
		loader
		there bool
	}{
		{loader{grubName, m.grub}, len(m.existing(grubConfigs()...)) > 0},
		{loader{systemdBootName, m.systemdBoot}, len(m.systemPartitions()) > 0},
		{loader{extlinuxName, m.extlinux}, len(m.existing(extlinuxConfigs()...)) > 0},
		{loader{raspberryName, m.raspberry}, m.raspberryConfig() != ""},
		{unsupported("zipl"), m.exists("/etc/zipl.conf") && m.exists("/boot/bootmap")},
		{unsupported("a script of U-Boot"), len(m.existing("/boot/boot.scr", "/boot/boot.scr.uimg")) > 0},
		{unsupported("LILO"), m.exists("/etc/lilo.conf")},
		{unsupported("rEFInd"), m.anyOnSystemPartition("EFI/refind/refind.conf")},
		{unsupported("Limine"), m.anyOnSystemPartition("limine.conf", "EFI/limine/limine.conf", "limine/limine.conf")},
	} {
		if l.there {
			found = append(found, l.loader)
		}
	}
	return found
}

// unsupported returns a boot loader whose configuration is not read.
func unsupported(name string) loader {
	return loader{name, func() Choice { return unknown(name, "the configuration of "+name+" is not supported") }}
}

// withoutLoader returns the kernel of a system for which no boot loader is configured. If there
// is no image either, the host of a container or of a virtual machine starts the kernel.
func (m Machine) withoutLoader() Choice {
	newest := m.Newest()
	if newest == "" && m.Layout.Running != "" {
		return Choice{Certainty: Decided, Kernel: m.Layout.Running,
			Reason: "there is no boot loader and no kernel image, so that the host starts its own kernel"}
	}
	if newest == "" {
		return unknown("", "there is no boot loader and no kernel image")
	}
	return Choice{Certainty: Newest, Kernel: newest, Reason: "no boot loader is configured"}
}

// maxConfig bounds the size of a configuration file.
const maxConfig = 4 << 20

// read returns the contents of a configuration file below the root. Symbolic links are resolved
// in the root.
func (m Machine) read(name string) ([]byte, error) {
	data, err := regular.ReadAtMost(m.inside(name), maxConfig)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, regular.WithoutPath(err))
	}
	return data, nil
}

// readIfThere returns the contents of a configuration file, nil if there is none.
func (m Machine) readIfThere(name string) ([]byte, error) {
	data, err := m.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (m Machine) inside(name string) string { return m.Layout.NoFollow().Inside(name) }

// exists reports whether a file is there.
func (m Machine) exists(name string) bool { return dkmsstate.Exists(m.inside(name)) }

// hidden returns an error if a place of boot loaders cannot be looked into.
func (m Machine) hidden() error {
	for _, dir := range append(systemPartitionDirs(), "/boot/grub", "/boot/grub2", "/boot/firmware") {
		if _, err := os.Stat(path.Join(m.inside(dir), ".")); err != nil {
			if !errors.Is(err, fs.ErrPermission) {
				continue
			}
			return fmt.Errorf("cannot read %s: %w", dir, regular.WithoutPath(err))
		}
		if _, err := os.Stat(m.inside(path.Join(dir, "EFI"))); errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("cannot read %s: %w", dir, regular.WithoutPath(err))
		}
	}
	return nil
}

// existing returns those of some files that exist, without other names of the same file.
func (m Machine) existing(names ...string) []string {
	var found []string
	seen := map[string]bool{}
	for _, name := range names {
		if real := m.inside(name); m.exists(name) && !seen[real] {
			found, seen[real] = append(found, name), true
		}
	}
	return found
}

// anyOnSystemPartition reports whether an EFI system partition has one of the files.
func (m Machine) anyOnSystemPartition(names ...string) bool {
	for _, dir := range systemPartitionDirs() {
		for _, name := range names {
			if m.exists(path.Join(dir, name)) {
				return true
			}
		}
	}
	return false
}

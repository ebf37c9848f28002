package bootloader

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate/efivars"

	"golang.org/x/sys/unix"
)

// systemPartitionDirs returns where EFI system partitions are mounted (bootctl(1)).
func systemPartitionDirs() []string { return []string{"/efi", "/boot/efi", "/boot"} }

// systemPartitions returns those that have systemd-boot.
func (m Machine) systemPartitions() []string {
	var found []string
	for _, dir := range m.existing(systemPartitionDirs()...) {
		if programs, _ := filepath.Glob(m.inside(path.Join(dir, "EFI/systemd")) + "/systemd-boot*.efi"); len(programs) > 0 {
			found = append(found, dir)
		}
	}
	return found
}

// systemdBoot returns the kernel that systemd-boot starts.
func (m Machine) systemdBoot() Choice {
	partitions := m.systemPartitions()
	if len(partitions) != 1 {
		return unknown(systemdBootName, fmt.Sprintf("systemd-boot is on %d EFI system partitions", len(partitions)))
	}
	if m.Layout.Root == "/" && !m.Booted {
		return unknown(systemdBootName, "whether the variables of the firmware are those of this system cannot be determined")
	}
	if m.Booted && m.exists("/sys/firmware/efi") && !m.firmware().readable() {
		return unknown(systemdBootName, "the variables of the firmware cannot be read")
	}
	esp := partitions[0]
	entries, err := m.bootEntries(esp)
	if err != nil {
		return unknown(systemdBootName, err.Error())
	}
	e, c, err := m.selected(esp, entries)
	if err != nil {
		return unknown(systemdBootName, err.Error())
	}
	c.Certainty, c.Loader, c.Entry = Decided, systemdBootName, e.id
	if c, err = m.startEntry(e, c); err != nil {
		return unknown(systemdBootName, fmt.Sprintf("%s: %v", e.file, err))
	}
	return c
}

// bootEntries returns the entries of the EFI system partition and of the extended boot loader
// partition, in the order of the menu.
func (m Machine) bootEntries(esp string) ([]blsEntry, error) {
	dirs := []string{esp}
	if esp != "/boot" {
		extended, err := m.extended()
		if err != nil {
			return nil, err
		}
		if extended {
			dirs = append(dirs, "/boot")
		}
	}
	var entries []blsEntry
	for _, dir := range dirs {
		files, err := m.type1Entries(dir)
		if err != nil {
			return nil, err
		}
		images, err := m.type2Entries(dir)
		if err != nil {
			return nil, err
		}
		entries = append(append(entries, files...), images...)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s has no entry that starts a kernel", esp)
	}
	sortEntries(entries)
	return entries, nil
}

// extended reports whether /boot is an extended boot loader partition: one that has entries. If
// it has entries and is no partition, systemd-boot does not see them.
func (m Machine) extended() (bool, error) {
	if !m.exists("/boot/loader/entries") && !m.exists("/boot/EFI/Linux") {
		return false, nil
	}
	if !isPartition(m.inside("/"), m.inside("/boot")) {
		return false, errors.New("/boot has entries, and is not a partition that systemd-boot reads")
	}
	return true, nil
}

// isPartition reports whether a directory is on another filesystem than the root, and on one that
// every firmware reads: FAT. A subvolume is on another device as well.
func isPartition(root, dir string) bool {
	var above, own unix.Stat_t
	var fs unix.Statfs_t
	err := errors.Join(unix.Stat(root, &above), unix.Stat(dir, &own), unix.Statfs(dir, &fs))
	return err == nil && above.Dev != own.Dev && fs.Type == unix.MSDOS_SUPER_MAGIC
}

// selected returns the entry that systemd-boot starts, and what selects it: variables of the
// firmware, then loader.conf, then the order of the menu (systemd-boot(7), loader.conf(5)).
func (m Machine) selected(esp string, entries []blsEntry) (blsEntry, Choice, error) {
	config := path.Join(esp, "loader/loader.conf")
	data, err := m.readIfThere(config)
	if err != nil {
		return blsEntry{}, Choice{}, err
	}
	vars, pattern := m.firmware(), ""
	for key, value := range settings(string(data)) {
		switch {
		case key == "preferred":
			return blsEntry{}, Choice{}, fmt.Errorf("%s has %q, which is not supported", config, key)
		case key == "default" && (!strings.HasPrefix(value, "@") || strings.EqualFold(value, "@saved")):
			pattern = value
		}
	}
	if vars.variable("LoaderEntryPreferred", efivars.Loader) != nil {
		return blsEntry{}, Choice{}, errors.New("the variable LoaderEntryPreferred is not supported")
	}
	for _, way := range []struct {
		pattern, source string
		once            bool
	}{{vars.text("LoaderEntryOneShot"), "LoaderEntryOneShot", true}, {vars.text("LoaderEntryDefault"), "LoaderEntryDefault", false}, {pattern, config, false}} {
		value := way.pattern
		if strings.EqualFold(value, "@saved") && !way.once {
			value = vars.text("LoaderEntryLastBooted")
		}
		if vars.err != nil {
			return blsEntry{}, Choice{}, vars.err
		}
		e, found, err := match(entries, value)
		if err != nil {
			return blsEntry{}, Choice{}, fmt.Errorf("%s: %w", way.source, err)
		}
		if found {
			return e, Choice{Source: way.source, Once: way.once, Reason: fmt.Sprintf("%s selects %q", way.source, way.pattern)}, nil
		}
	}
	return entries[0], Choice{Source: entries[0].file, Reason: "the first entry of the menu is started"}, nil
}

// match returns the first entry whose identifier matches a pattern. systemd-boot compares with
// the name of the file, bootctl(1) writes the name without boot counters: it is an error if these
// select different entries.
func match(entries []blsEntry, pattern string) (blsEntry, bool, error) {
	if pattern == "" {
		return blsEntry{}, false, nil
	}
	pattern = strings.ToLower(pattern)
	if strings.HasPrefix(pattern, "auto-") {
		return blsEntry{}, false, fmt.Errorf("it selects %s, which is not a kernel", pattern)
	}
	if strings.Contains(pattern, "[!") || strings.Contains(pattern, "[^") {
		return blsEntry{}, false, fmt.Errorf("the pattern %q is not supported", pattern)
	}
	full, bare := -1, -1
	for i, e := range entries {
		byFile, err := path.Match(pattern, e.id)
		byID, _ := path.Match(pattern, withoutCounters(e.id))
		if err != nil {
			return blsEntry{}, false, fmt.Errorf("the pattern %q is not supported", pattern)
		}
		if byFile && full < 0 {
			full = i
		}
		if byID && bare < 0 {
			bare = i
		}
	}
	switch {
	case full != bare:
		return blsEntry{}, false, fmt.Errorf("the pattern %q selects an entry with boot counters or without them", pattern)
	case full < 0:
		return blsEntry{}, false, nil
	}
	return entries[full], true, nil
}

// withoutCounters returns an identifier without its boot counters.
func withoutCounters(id string) string {
	suffix := path.Ext(id)
	if left, _ := counters(id, suffix); left < 0 {
		return id
	}
	return id[:strings.LastIndexByte(id, '+')] + suffix
}

// startEntry adds the kernel of an entry and its command line to a choice.
func (m Machine) startEntry(e blsEntry, c Choice) (Choice, error) {
	var err error
	if e.linux != "" {
		c.Cmdline, c.CmdlineComplete = e.options, true
		if e.initrdKnown() && argument(e.options, "initrd") == "" {
			c.Initrd, c.InitrdKnown = m.onPartition(e.dir, e.initrd)
		}
		if c.Kernel, err = m.releaseOf(path.Join(e.dir, e.linux)); err == nil {
			return c, nil
		}
		return c, err
	}
	inside := e.unified + e.program
	u, err := m.readUnified(path.Join(e.dir, inside))
	if err != nil {
		return c, err
	}
	c.Kernel, c.Cmdline = u.release, u.cmdline
	c.CmdlineComplete = e.options == "" && !m.exists(path.Join(e.dir, inside+".extra.d")) && !m.exists(path.Join(e.dir, "loader/addons"))
	if c.CmdlineComplete && len(e.initrd) == 0 && argument(u.cmdline, "initrd") == "" { // what adds arguments can add archives
		c.Initrd, c.InitrdKnown = m.onPartition(e.dir, []string{inside})
	}
	return c, nil
}

// onPartition returns the paths of files on a partition, and whether all of them exist.
func (m Machine) onPartition(dir string, names []string) ([]string, bool) {
	var files []string
	for _, name := range names {
		file := path.Join(dir, name)
		if !m.exists(file) {
			return nil, false
		}
		files = append(files, file)
	}
	return files, true
}

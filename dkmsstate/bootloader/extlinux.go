package bootloader

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// extlinuxConfigs returns where extlinux, syslinux and U-Boot look for their configuration.
func extlinuxConfigs() []string {
	return []string{"/boot/extlinux/extlinux.conf", "/extlinux/extlinux.conf", "/boot/syslinux/extlinux.conf", "/boot/syslinux/syslinux.cfg",
		"/boot/extlinux.conf", "/boot/syslinux.cfg"}
}

// extlinux returns the kernel that extlinux or U-Boot starts.
func (m Machine) extlinux() Choice {
	found := m.existing(extlinuxConfigs()...)
	if len(found) != 1 {
		return unknown(extlinuxName, "more than one configuration: "+strings.Join(found, ", "))
	}
	config := found[0]
	data, err := m.read(config)
	if err != nil {
		return unknown(extlinuxName, err.Error())
	}
	entry, reason, err := parseExtlinux(string(data))
	if err != nil {
		return unknown(extlinuxName, fmt.Sprintf("cannot evaluate %s: %v", config, err))
	}
	if !entry.named && x86() {
		return unknown(extlinuxName, fmt.Sprintf("%s has no default: extlinux waits for somebody to choose, and U-Boot starts the label %q", config, entry.label))
	}
	c := Choice{Certainty: Decided, Loader: extlinuxName, Source: config, Entry: entry.label, Reason: reason + " of " + config,
		Cmdline: entry.append, CmdlineComplete: !entry.inherits && !strings.Contains(entry.append, "$")}
	if entry.kernel == "" || strings.Contains(entry.kernel, "$") {
		return unknown(extlinuxName, fmt.Sprintf("the label %q of %s starts no kernel", entry.label, config))
	}
	dir := "/boot"
	if !path.IsAbs(entry.kernel) {
		dir = path.Dir(config)
	}
	if c.Kernel, err = m.imageRelease(entry.kernel, dir); err != nil {
		return unknown(extlinuxName, fmt.Sprintf("the label %q of %s: %v", entry.label, config, err))
	}
	if names, known := entry.initrds(path.Dir(config)); known {
		c.Initrd, c.InitrdKnown = m.initrdFiles(names, dir)
	}
	return c
}

// initrds returns the files of the initramfs, and whether they are known: those of the keyword
// initrd, or else of an argument of the command line. dir is the directory of the configuration.
func (e extlinuxEntry) initrds(dir string) ([]string, bool) {
	list := cmp.Or(e.initrd, argument(e.append, "initrd"))
	if list == "" {
		return nil, !e.inherits
	}
	names := strings.Split(list, ",")
	for i, name := range names {
		if !path.IsAbs(name) {
			names[i] = path.Join(dir, name)
		}
	}
	return names, !strings.Contains(list, "$")
}

// extlinuxEntry is a label and what follows it.
type extlinuxEntry struct {
	label, kernel, append, initrd string
	// named reports whether "default" names the label. Without it U-Boot starts the one with "menu
	// default", or the first one, and extlinux none.
	named bool
	// inherits reports whether append precedes the labels. U-Boot ignores it there.
	inherits bool
}

// parseExtlinux returns the entry that a configuration starts, and what selects it. It supports
// what syslinux and U-Boot have in common (syslinux.cfg; U-Boot, boot/pxe_utils).
func parseExtlinux(text string) (extlinuxEntry, string, error) {
	var entries []extlinuxEntry
	var name, menu, global string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		value := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), fields[0]))
		var in *extlinuxEntry
		if len(entries) > 0 {
			in = &entries[len(entries)-1]
		}
		switch keyword := strings.ToLower(fields[0]); {
		case keyword == "label":
			entries = append(entries, extlinuxEntry{label: value, append: global, inherits: global != ""})
		case keyword == "default":
			name = value
		case keyword == "append" && in == nil:
			global = value
		case keyword == "append" && value == "-":
			in.append, in.inherits = "", false
		case keyword == "append":
			in.append, in.inherits = value, false
		case in != nil && (keyword == "kernel" || keyword == "linux"):
			in.kernel = value
		case in != nil && keyword == "initrd":
			in.initrd = value
		case keyword == "menu" && len(fields) > 1:
			switch strings.ToLower(fields[1]) {
			case "default":
				if in == nil {
					return extlinuxEntry{}, "", errors.New(`"menu default" outside a label`)
				}
				menu = in.label
			case "begin", "include":
				return extlinuxEntry{}, "", fmt.Errorf("%q is not supported", "menu "+fields[1])
			}
		case slices.Contains([]string{"include", "config", "localboot", "ontimeout", "com32", "boot", "bss", "pxe", "fdi", "comboot", "fallback"}, keyword):
			return extlinuxEntry{}, "", fmt.Errorf("%q is not supported", fields[0])
		}
	}
	return extlinuxDefault(entries, name, menu)
}

// extlinuxDefault returns the entry that "default" or "menu default" names, or else the first.
func extlinuxDefault(entries []extlinuxEntry, name, menu string) (extlinuxEntry, string, error) {
	if len(entries) == 0 {
		return extlinuxEntry{}, "", errors.New("it has no labels")
	}
	if name != "" && menu != "" && name != menu {
		return extlinuxEntry{}, "", fmt.Errorf(`"default" is %q, and "menu default" is %q`, name, menu)
	}
	selected := cmp.Or(name, menu)
	if selected == "" {
		return entries[0], "the first label", nil
	}
	var found []extlinuxEntry
	for _, e := range entries {
		if e.label == selected {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return extlinuxEntry{}, "", fmt.Errorf("it has %d labels %q", len(found), selected)
	}
	found[0].named = name != ""
	return found[0], fmt.Sprintf("the default %q", selected), nil
}

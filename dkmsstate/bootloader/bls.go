package bootloader

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// blsEntry is an entry of the Boot Loader Specification (UAPI.1): a file in loader/entries, or a
// unified kernel image in EFI/Linux.
type blsEntry struct {
	// id is the name of the file, in lower case. file is its path, dir where its filesystem is
	// mounted.
	id, file, dir                      string
	title, sortKey, machineID, version string
	linux, options                     string
	initrd                             []string
	// unified is the path of a unified kernel image, program that of another EFI program.
	unified, program string
	architecture     string
	// left and done are the boot counters, -1 without any.
	left, done int
}

// maxEntries bounds how many entries are read.
const maxEntries = 1000

// type1Entries returns the entries in loader/entries of a filesystem that have what they start.
func (m Machine) type1Entries(dir string) ([]blsEntry, error) {
	names, err := m.names(path.Join(dir, "loader/entries"))
	if err != nil {
		return nil, err
	}
	var entries []blsEntry
	for _, name := range names {
		lower := strings.ToLower(name)
		if !strings.HasSuffix(lower, ".conf") || strings.HasPrefix(name, ".") || strings.HasPrefix(lower, "auto-") {
			continue
		}
		file := path.Join(dir, "loader/entries", name)
		data, err := m.read(file)
		if err != nil {
			return nil, err
		}
		e := parseEntry(string(data))
		e.id, e.file, e.dir = lower, file, dir
		e.left, e.done = counters(lower, ".conf")
		starts := cmp.Or(e.linux, e.unified, e.program)
		if starts == "" || !m.exists(path.Join(dir, starts)) || e.architecture != "" && !strings.EqualFold(e.architecture, efiArchitecture()) {
			continue
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// names returns the names in a directory, none if there is no directory.
func (m Machine) names(dir string) ([]string, error) {
	entries, err := os.ReadDir(m.inside(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("cannot read %s: %w", dir, regular.WithoutPath(err))
	case len(entries) > maxEntries:
		return nil, fmt.Errorf("%s has more than %d entries", dir, maxEntries)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

// parseEntry parses a file of loader/entries.
func parseEntry(text string) blsEntry {
	var e blsEntry
	for key, value := range settings(text) {
		switch key {
		case "title":
			e.title = value
		case "sort-key":
			e.sortKey = value
		case "machine-id":
			e.machineID = value
		case "version":
			e.version = value
		case "linux":
			e.linux = value
		case "uki":
			e.unified = value
		case "efi":
			e.program = value
		case "architecture":
			e.architecture = value
		case "initrd":
			e.initrd = append(e.initrd, value)
		case "options":
			e.options = strings.TrimSpace(e.options + " " + value)
		}
	}
	return e
}

// settings iterates over the lines "KEY VALUE" of a file.
func settings(text string) func(yield func(key, value string) bool) {
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			n := strings.IndexAny(line, " \t")
			if strings.HasPrefix(line, "#") || n < 0 {
				continue
			}
			value := strings.TrimLeft(line[n:], " \t")
			if last := len(value) - 1; last > 0 && value[0] == '"' && value[last] == '"' {
				value = value[1:last]
			}
			if !yield(line[:n], value) {
				return
			}
		}
	}
}

// counters returns the boot counters in a name: NAME+LEFT.conf or NAME+LEFT-DONE.conf.
func counters(name, suffix string) (left, done int) {
	found := regexp.MustCompile(`\+([0-9]{1,9})(?:-([0-9]{1,9}))?$`).FindStringSubmatch(strings.TrimSuffix(name, suffix))
	if found == nil {
		return -1, -1
	}
	left, _ = strconv.Atoi(found[1])
	done, _ = strconv.Atoi(found[2])
	return left, done
}

// efiArchitecture returns the name that UEFI has for the architecture.
func efiArchitecture() string {
	if name, known := map[string]string{"amd64": "x64", "386": "ia32", "arm64": "aa64", "arm": "arm"}[runtime.GOARCH]; known {
		return name
	}
	return runtime.GOARCH
}

// sortEntries sorts entries as systemd-boot does: those without tries left come last, then by
// sort key, machine and version, or else by identifier.
func sortEntries(entries []blsEntry) {
	is := func(holds bool) int { return map[bool]int{true: 1}[holds] }
	slices.SortStableFunc(entries, func(a, b blsEntry) int {
		c := cmp.Or(is(a.left == 0)-is(b.left == 0), is(a.sortKey == "")-is(b.sortKey == ""))
		if c == 0 && a.sortKey != "" {
			c = cmp.Or(strings.Compare(a.sortKey, b.sortKey), strings.Compare(a.machineID, b.machineID), compareVersions(b.version, a.version))
		}
		c = cmp.Or(c, compareVersions(b.id, a.id))
		if a.left < 0 || b.left < 0 {
			return c
		}
		return cmp.Or(c, cmp.Compare(b.left, a.left), cmp.Compare(a.done, b.done))
	})
}

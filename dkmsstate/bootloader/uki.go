package bootloader

import (
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// unified is a unified kernel image (UAPI.5): an EFI program whose sections have the kernel.
type unified struct {
	release            dkmsstate.Release
	cmdline, osRelease string
}

// maxSection bounds how much is read of a section.
const maxSection = 1 << 20

// readUnified reads a unified kernel image.
func readUnified(image io.ReaderAt) (unified, error) {
	file, err := pe.NewFile(image)
	if err != nil {
		return unified{}, fmt.Errorf("not an EFI program: %w", err)
	}
	defer file.Close()
	if len(sections(file, ".profile")) > 0 {
		return unified{}, errors.New("a unified kernel image with profiles is not supported")
	}
	var u unified
	var text [3]string
	for i, name := range []string{".uname", ".cmdline", ".osrel"} {
		if text[i], err = sectionText(file, name); err != nil {
			return unified{}, err
		}
	}
	u.cmdline, u.osRelease = text[1], text[2]
	if text[0] != "" {
		u.release, err = dkmsstate.ParseRelease(strings.TrimSpace(text[0]))
		return u, err
	}
	linux := sections(file, ".linux")
	if len(linux) != 1 {
		return unified{}, errors.New("not a unified kernel image")
	}
	if u.release, err = releaseInImage(linux[0]); err == nil && u.release == "" {
		err = errors.New("it has no kernel release")
	}
	return u, err
}

func sections(file *pe.File, name string) []*pe.Section {
	return slices.DeleteFunc(slices.Clone(file.Sections), func(s *pe.Section) bool { return s.Name != name })
}

// sectionText returns the text in a section up to a NUL, "" if there is no such section.
func sectionText(file *pe.File, name string) (string, error) {
	found := sections(file, name)
	switch {
	case len(found) == 0:
		return "", nil
	case len(found) > 1:
		return "", fmt.Errorf("more than one section %s", name)
	}
	data := make([]byte, min(found[0].VirtualSize, found[0].Size, maxSection))
	n, err := found[0].ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read the section %s: %w", name, err)
	}
	text, _, _ := strings.Cut(string(data[:n]), "\x00")
	return strings.TrimSpace(text), nil
}

// readUnified reads a unified kernel image of the machine.
func (m Machine) readUnified(name string) (unified, error) {
	file, err := regular.Open(m.inside(name))
	if err != nil {
		return unified{}, fmt.Errorf("cannot read %s: %w", name, regular.WithoutPath(err))
	}
	defer file.Close()
	u, err := readUnified(file)
	if err != nil {
		return unified{}, fmt.Errorf("cannot read %s: %w", name, err)
	}
	return u, nil
}

// type2Entries returns the unified kernel images in EFI/Linux of a filesystem as entries.
func (m Machine) type2Entries(dir string) ([]blsEntry, error) {
	names, err := m.names(path.Join(dir, "EFI/Linux"))
	if err != nil {
		return nil, err
	}
	var entries []blsEntry
	for _, name := range names {
		lower := strings.ToLower(name)
		if !strings.HasSuffix(lower, ".efi") || strings.HasPrefix(name, ".") || strings.HasPrefix(lower, "auto-") {
			continue
		}
		inside := path.Join("EFI/Linux", name)
		u, err := m.readUnified(path.Join(dir, inside))
		if err != nil {
			return nil, err
		}
		e := blsEntry{id: lower, file: path.Join(dir, inside), dir: dir, unified: inside}
		e.left, e.done = counters(lower, ".efi")
		values := map[string]string{}
		for line := range strings.Lines(u.osRelease) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			values[key] = strings.Trim(value, `"'`)
		}
		e.title = first(values, "PRETTY_NAME", "IMAGE_ID", "NAME", "ID")
		e.sortKey = first(values, "IMAGE_ID", "ID")
		e.version = first(values, "IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID")
		entries = append(entries, e)
	}
	return entries, nil
}

// first returns the first value that is not empty.
func first(values map[string]string, keys ...string) string {
	for _, key := range keys {
		if values[key] != "" {
			return values[key]
		}
	}
	return ""
}

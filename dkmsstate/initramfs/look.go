package initramfs

import (
	"context"
	"slices"

	"dkms-hooks/dkmsstate/kmod"
)

// Look is what was found in the initramfs of a kernel.
type Look struct {
	// Stamp identifies the state of the files that were read.
	Stamp string `json:"stamp"`
	// Names are the modules that were searched for, as lsmod(8) prints them.
	Names []string `json:"names"`
	// Modules are those that were found.
	Modules []Module `json:"modules,omitempty"`
	// Installed are the installed files of these modules, by their path in the directory of the
	// kernel.
	Installed map[string]InstalledFile `json:"installed,omitempty"`
	// Unknown is why it is not known what the initramfs contains, "" if it is.
	Unknown string `json:"unknown,omitempty"`
}

// InstalledFile is the identity of an installed file. Stamp identifies the state of the file.
type InstalledFile struct {
	Stamp    string        `json:"stamp"`
	Identity kmod.Identity `json:"identity"`
}

// LookFor searches the initramfs of a kernel in some files for modules. stamp identifies the state
// of the files. An initramfs whose contents cannot be read is no error. Anything else is, since
// another attempt may succeed.
func LookFor(ctx context.Context, kernel, stamp string, names []string, files ...string) (Look, error) {
	look := Look{Stamp: stamp, Names: slices.Sorted(slices.Values(names))}
	wanted := func(name string) bool { return slices.Contains(names, name) }
	c, err := Read(ctx, wanted, files...)
	switch {
	case final(err):
		look.Unknown = err.Error()
	case err != nil:
		return Look{}, err
	}
	for _, name := range look.Names {
		look.Modules = append(look.Modules, c.Named(kernel, name)...)
	}
	return look, nil
}

// Add adds the identity of an installed file, whose path in the directory of the kernel is path. It
// is not read again if an earlier look has it. One that cannot be read now is not added. The error
// is that of the context.
func (l *Look) Add(ctx context.Context, reader *kmod.Reader, path, file, stamp string, earlier Look) error {
	now, there := earlier.Installed[path]
	if !there || now.Stamp != stamp {
		id, err := reader.Identity(ctx, file)
		if err != nil {
			return context.Cause(ctx)
		}
		now = InstalledFile{Stamp: stamp, Identity: id}
	}
	if l.Installed == nil {
		l.Installed = map[string]InstalledFile{}
	}
	l.Installed[path] = now
	return context.Cause(ctx)
}

// Answers reports whether the look still tells about a module, in files whose state has this stamp.
func (l Look) Answers(name, stamp string) bool {
	return l.Stamp == stamp && slices.Contains(l.Names, name)
}

// Named returns the files of a module.
func (l Look) Named(name string) []Module {
	return slices.DeleteFunc(slices.Clone(l.Modules), func(m Module) bool { return m.Name() != name })
}

// Held is how a module in an initramfs compares with the installed one.
type Held string

const (
	// HeldSame is a copy of the installed module.
	HeldSame Held = "same"
	// HeldCode is a copy with another signature, or stripped.
	HeldCode Held = "same code"
	// HeldOther is another build.
	HeldOther Held = "other"
	// HeldUnknown is one that cannot be compared.
	HeldUnknown Held = "unknown"
)

// Compare compares a module in an initramfs with the installed one.
func (m Module) Compare(installed kmod.Identity) Held {
	switch {
	case m.Identity.Sum == "" || installed.Sum == "":
		return HeldUnknown
	case m.Identity.Sum == installed.Sum:
		return HeldSame
	case m.Identity.Code == "" || installed.Code == "":
		return HeldUnknown
	case m.Identity.Code == installed.Code:
		return HeldCode
	}
	return HeldOther
}

package bootloader

import (
	"strings"
)

// grubEntry is an entry of a menu.
type grubEntry struct {
	title, id string
	submenu   bool
	body      grubScript
	args      []grubValue
	// certain reports whether the entry is there whatever the conditions around it are.
	certain bool
	// linux is what an entry of the Boot Loader Specification starts, nil for others.
	linux *grubLinux
}

// grubLinux is a kernel that an entry starts.
type grubLinux struct {
	image, cmdline string
	// perhaps are arguments that a condition decides about.
	perhaps []string
	// complete reports whether all of the command line is known, but for these.
	complete bool
	// initrd are the files of the initramfs. initrdKnown reports whether they are known.
	initrd      []string
	initrdKnown bool
}

// add adds an argument to the command line.
func (l *grubLinux) add(arg grubValue) {
	switch {
	case !arg.known && arg.either != nil:
		for _, text := range arg.either {
			l.perhaps = append(l.perhaps, strings.Fields(text)...)
		}
		return
	case !arg.known:
		l.complete = false
	}
	l.cmdline = strings.TrimPrefix(l.cmdline+" "+arg.text, " ")
}

// grubLoad is a command of an entry that loads something.
type grubLoad struct {
	command string
	args    []grubValue
	certain bool
	// roots is how often root was set before.
	roots int
}

package systemtest

import (
	"fmt"
	"strings"
)

// fortune is what a kernel's modules must have come to.
type fortune string

// Every module is built, installed and found by modinfo; none is built, since
// nothing can or may be; or nothing of them is left, directories included.
const (
	present fortune = "present"
	unbuilt fortune = "unbuilt"
	gone    fortune = "gone"
)

// dpkg's statuses of an image, and two words of our own for them.
const (
	installed      = "install ok installed"
	configFiles    = "deinstall ok config-files"
	keptInstalled  = "deinstall ok installed"
	halfConfigured = "deinstall ok half-configured"
	anyStatus      = "any"
	unknown        = "unknown"
)

// ending is what a transition must come to. Every module stays registered
// whatever happens.
type ending struct {
	// image is dpkg's status of the image package, "" for unknown to dpkg, anyStatus
	// where it is not the point.
	image   string
	modules fortune
	// other are the modules of the second kernel, "" without one.
	other fortune
	// kept: nothing was compiled again.
	kept bool
	// exit is the exit status of the script.
	exit int
}

// String is the ending as the matrix shows it.
func (e ending) String() string {
	words := []string{string(e.modules)}
	if e.kept {
		words[0] += ", not compiled again"
	}
	if e.other != "" {
		words = append(words, "other kernel "+string(e.other))
	}
	if e.image != anyStatus {
		words = append(words, "package "+status(e.image))
	}
	if e.exit != 0 {
		words = append(words, fmt.Sprintf("exit %d", e.exit))
	}
	return strings.Join(words, "; ")
}

// status is the last word of dpkg's status.
func status(image string) string {
	if words := strings.Fields(image); len(words) == 3 {
		return words[2]
	}
	return unknown
}

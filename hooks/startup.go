package hooks

import (
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/signing"
)

// startup is what decides about the next start of the machine and is the same for all kernels. The
// runs of a reconcile read it once. The zero value reads nothing before it is needed.
type startup struct {
	next *boot
	keys *signing.Machine
}

// boot returns what is known about the next boot.
func (s *startup) boot(inv Invocation, layout dkmsstate.Layout) boot {
	if s.next == nil {
		b := readBoot(inv, layout)
		s.next = &b
	}
	return *s.next
}

// signing returns what decides which modules the kernels take.
func (s *startup) signing(inv Invocation, layout dkmsstate.Layout) *signing.Machine {
	if s.keys == nil {
		s.keys = signing.NewMachine(layout, host(inv, s.boot(inv, layout).origin))
	}
	return s.keys
}

package hooks

import (
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// system is what a command reads first: the layout of dkms's directories, the configuration
// and, if the command needs it, the record of earlier runs.
type system struct {
	layout dkmsstate.Layout
	config Settings
	record dkmsstate.Record
	// troubles lists what could not be read, in a sentence each.
	troubles []string
}

// readSystem reads everything but the record.
func readSystem(inv Invocation) system {
	var s system
	s.layout, s.troubles = dkmsstate.ReadLayout(inv.Root)
	s.config = ReadSettings(inv)
	s.troubles = append(s.troubles, s.config.Unreadable...)
	return s
}

// readRecord reads the record. A command that changes something calls it under the lock.
func (s *system) readRecord() {
	var err error
	if s.record, err = record.Read(s.layout); err != nil {
		s.troubles = append(s.troubles, err.Error())
	}
}

// withRecord reads the system with its record, for a command that changes nothing.
func withRecord(inv Invocation) system {
	s := readSystem(inv)
	s.readRecord()
	return s
}

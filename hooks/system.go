package hooks

import (
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// system is what a command reads before anything else: where dkms keeps things, and the
// configuration; then, where it is needed, what earlier runs recorded.
type system struct {
	layout dkmsstate.Layout
	config Config
	record dkmsstate.Record
	// troubles are what could not be read, each a sentence.
	troubles []string
}

// readSystem reads all but the record.
func readSystem(inv Invocation) system {
	var s system
	var err error
	s.layout, s.troubles = dkmsstate.ReadLayout(inv.Root)
	if s.config, err = ReadConfig(s.layout.Path(ConfigFile)); err != nil {
		s.troubles = append(s.troubles, err.Error())
	}
	return s
}

// readRecord reads the record. What changes the machine reads it under the lock.
func (s *system) readRecord() {
	var err error
	if s.record, err = record.Read(s.layout); err != nil {
		s.troubles = append(s.troubles, err.Error())
	}
}

// withRecord reads the system with its record, for a command that only looks.
func withRecord(inv Invocation) system {
	s := readSystem(inv)
	s.readRecord()
	return s
}

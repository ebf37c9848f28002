package dkmsstate

// Answer is what dkms reports about a module whose dkms.conf does not show it.
type Answer struct {
	// Wanted reports whether dkms would install the module unasked. Needs are its BUILD_DEPENDS
	// in that case.
	Wanted bool     `json:"wanted"`
	Needs  []string `json:"needs,omitempty"`
}

// Answer stores an answer about the registration i in the snapshot. dkms does not report the
// needs of a module that it would not install.
func (s *Snapshot) Answer(i int, answer Answer) {
	conf := &s.Registrations[i].Conf
	if conf.AutoinstallUnknown {
		conf.Autoinstall, s.Registrations[i].Unanswered = answer.Wanted, nil
	}
	if conf.DependsUnknown && answer.Wanted {
		conf.Depends, conf.Answered = answer.Needs, true
	}
	if module := s.Registrations[i].Module.String(); s.inputs[module] != "" {
		s.inputs[module] = s.readInputs(module) // the needs are part of the inputs
	}
}

// Unanswered records why there is no answer about the registration i.
func (s *Snapshot) Unanswered(i int, err error) {
	if conf := &s.Registrations[i].Conf; conf.AutoinstallUnknown {
		conf.Autoinstall, s.Registrations[i].Unanswered = false, err
	}
}

// UseAnswers stores the answers of dkms from when it was last asked.
func (s *Snapshot) UseAnswers(answers map[string]Answer) {
	for i, r := range s.Registrations {
		if answer, asked := answers[r.Module.String()]; asked {
			s.Answer(i, answer)
		}
	}
}

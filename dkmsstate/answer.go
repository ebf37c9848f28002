package dkmsstate

// Answer is what dkms says of a module of which its dkms.conf does not show it.
type Answer struct {
	// Wanted: dkms would install it unasked. Needs are its BUILD_DEPENDS then.
	Wanted bool     `json:"wanted"`
	Needs  []string `json:"needs,omitempty"`
}

// Answer puts an answer into the snapshot. Of a module that it would not install dkms does
// not tell the needs.
func (s *Snapshot) Answer(i int, answer Answer) {
	conf := &s.Registrations[i].Conf
	if conf.AutoinstallUnknown {
		conf.Autoinstall, s.Registrations[i].Unanswered = answer.Wanted, nil
	}
	if conf.DependsUnknown && answer.Wanted {
		conf.Depends, conf.Answered = answer.Needs, true
	}
	if module := s.Registrations[i].Module.String(); s.inputs[module] != "" {
		s.inputs[module] = s.readInputs(module) // with what it needs
	}
}

// Unanswered notes why there is no answer about a module.
func (s *Snapshot) Unanswered(i int, err error) {
	if conf := &s.Registrations[i].Conf; conf.AutoinstallUnknown {
		conf.Autoinstall, s.Registrations[i].Unanswered = false, err
	}
}

// UseAnswers takes over what dkms answered when it was last asked.
func (s *Snapshot) UseAnswers(answers map[string]Answer) {
	for i, r := range s.Registrations {
		if answer, asked := answers[r.Module.String()]; asked {
			s.Answer(i, answer)
		}
	}
}

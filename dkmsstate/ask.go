package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Answer is what dkms says of a module of which its dkms.conf does not show it.
type Answer struct {
	// Wanted: dkms would install it unasked. Needs are its BUILD_DEPENDS then.
	Wanted bool     `json:"wanted"`
	Needs  []string `json:"needs,omitempty"`
}

// Ask lets dkms find out which modules it would install unasked on the kernel, and which
// others these need, where that does not show in a dkms.conf, and puts its answers into the
// snapshot. What the goal leaves off is not asked about, nor what is installed and stays as
// it is. It returns the answers, by MODULE/VERSION, with those of before that still count,
// for Examine to know when nothing may be run.
func (s *Snapshot) Ask(ctx context.Context, engine Engine, goal Goal, before map[string]Answer) map[string]Answer {
	if err := s.Layout.removeQuestion(); err != nil {
		s.Troubles = append(s.Troubles, err.Error())
	}
	answers := map[string]Answer{}
	for i, r := range s.Registrations {
		if !r.Conf.AutoinstallUnknown && !r.Conf.DependsUnknown {
			continue
		}
		if earlier, asked := before[r.Module.String()]; asked {
			answers[r.Module.String()] = earlier
		}
		if !s.askable(r, goal) {
			continue
		}
		answer, err := s.askAbout(ctx, engine, r.Module)
		if err != nil {
			s.unanswered(i, fmt.Errorf("cannot find out whether it is to be installed unasked: %w", err))
			continue
		}
		s.answer(i, answer)
		answers[r.Module.String()] = answer
		if _, found := s.inputs[r.Module.String()]; found { // with what it needs
			s.inputs[r.Module.String()] = s.readInputs(r.Module.String())
		}
	}
	if len(answers) == 0 {
		return nil
	}
	return answers
}

// askable reports whether an answer about a module would change what is planned: it may be
// brought in, or it is installed, and a build of it follows.
func (s *Snapshot) askable(r Registration, goal Goal) bool {
	link, _ := s.Link(r.Module.Name, s.Arch)
	b, _ := s.Build(r.Module, s.Arch)
	builds := s.buildable() && (!b.Complete() || b.Fresh.Verdict == Stale)
	switch {
	case r.Broken != nil || s.NoAutoinstall: // dkms says nothing then
		return false
	case link.Version == r.Module.Version:
		return r.Conf.DependsUnknown && builds
	case s.latest(r.Module.Name).Module != r.Module || !goal.bringsIn(r.Module):
		return false
	}
	return r.Conf.AutoinstallUnknown || r.Conf.Autoinstall && builds
}

// answer puts an answer into the snapshot. Of a module that it would not install dkms does
// not tell the needs.
func (s *Snapshot) answer(i int, answer Answer) {
	conf := &s.Registrations[i].Conf
	if conf.AutoinstallUnknown {
		conf.Autoinstall, s.Registrations[i].Unanswered = answer.Wanted, nil
	}
	if conf.DependsUnknown && answer.Wanted {
		conf.Depends, conf.Answered = answer.Needs, true
	}
}

// unanswered notes why there is no answer about a module.
func (s *Snapshot) unanswered(i int, err error) {
	if conf := &s.Registrations[i].Conf; conf.AutoinstallUnknown {
		conf.Autoinstall, s.Registrations[i].Unanswered = false, err
	}
}

// presume takes over what dkms answered when it was last asked.
func (s *Snapshot) presume(answers map[string]Answer) {
	for i, r := range s.Registrations {
		if answer, asked := answers[r.Module.String()]; asked {
			s.answer(i, answer)
		}
	}
}

// askAbout asks in a tree that has this one module alone: a module whose dkms.conf
// dkms cannot read ends its autoinstall for all of them (read_conf_or_die).
func (s *Snapshot) askAbout(ctx context.Context, engine Engine, m Module) (Answer, error) {
	tree, err := s.Layout.makeQuestion(m)
	if err != nil {
		return Answer{}, errors.Join(err, s.Layout.removeQuestion())
	}
	answer, err := engine.AskAutoinstall(ctx, tree, m, s.Kernel, s.Arch)
	return answer, errors.Join(err, s.Layout.removeQuestion())
}

// questionDir is the tree to ask in, below the hooks' own directory.
const questionDir = "question"

func (l Layout) makeQuestion(m Module) (string, error) {
	tree := filepath.Join(stateDir, questionDir)
	dir := filepath.Join(l.Path(tree), m.Name)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.Symlink(filepath.Join(l.DKMSTree, m.Name, m.Version), filepath.Join(dir, m.Version))
	}
	if err != nil {
		return "", fmt.Errorf("cannot make a tree to ask dkms in: %w", err)
	}
	return tree, nil
}

// removeQuestion removes the tree, also what a run that was killed has left of it.
func (l Layout) removeQuestion() error {
	dir := l.Path(stateDir)
	if !anyExists(dir, questionDir) {
		return nil
	}
	own, err := l.openOwn("")
	if err != nil {
		return fmt.Errorf("cannot remove the tree to ask dkms in: %w", err)
	}
	defer own.Close()
	return own.RemoveAll(questionDir)
}

// Questions that dkms answers.
const (
	// noSuchModule is a need that is never met, so that dkms autoinstall gets no
	// further than to tell which modules it would install.
	noSuchModule = "dkms-hooks-question"
	// questionLimit bounds one question: dkms reads a file, unless that is endless.
	questionLimit = time.Minute
)

// AskAutoinstall asks dkms whether it would install a module of a tree unasked. It reads
// dkms.conf and its overrides as it always does; a need that --directive adds to those of
// the module keeps dkms autoinstall from building anything, so that it prints all of them
// (2.8.4, 3.0.10, 3.2.2).
func (d DKMS) AskAutoinstall(ctx context.Context, tree string, m Module, kernel Release, arch string) (Answer, error) {
	d.Tree, d.Timeout = tree, min(d.Timeout, questionLimit)
	var out tail
	err := d.dkms(ctx, &out, "autoinstall", "-k", string(kernel), "-a", arch, "--directive", "BUILD_DEPENDS+= "+noSuchModule)
	return readAnswer(m, out.String(), err)
}

// readAnswer reads what dkms autoinstall printed about a module, and how it ended.
func readAnswer(m Module, output string, err error) (Answer, error) {
	for line := range strings.Lines(output) {
		list, ok := strings.CutPrefix(strings.TrimSpace(line), m.String()+" autoinstall failed due to missing dependencies: ")
		words := strings.Fields(strings.TrimSuffix(list, ".")) // 3.2 ends the sentence
		if ok && slices.Contains(words, noSuchModule) {        // exit status 11, and 0 of dkms 2.8.4
			answer := Answer{Wanted: true}
			for _, word := range words {
				if word != noSuchModule {
					answer.Needs = append(answer.Needs, word)
				}
			}
			return answer, nil
		}
	}
	var call *CallError
	switch {
	case err == nil && strings.Contains(output, "\nDIRECTIVE: BUILD_DEPENDS+="):
		return Answer{}, nil
	case err == nil:
		return Answer{}, fmt.Errorf("dkms autoinstall does not mention %s", m)
	case errors.As(err, &call) && call.Code == badConf:
		return Answer{}, fmt.Errorf("dkms cannot use its dkms.conf: %w", explain(err, ""))
	}
	return Answer{}, explain(err, "")
}

// badConf is dkms's exit status for a dkms.conf that lacks what it needs
// (read_conf_or_die).
const badConf = 8

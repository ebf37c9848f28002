package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Ask lets dkms find out which modules it would install unasked on the kernel, where
// that does not show in a dkms.conf, and puts its answers into the snapshot. What is
// installed is not asked about: it stays; nor is what the goal leaves off. It returns the answers, by MODULE/VERSION,
// with those of before that still count, for Examine to know when nothing may be run.
func (s *Snapshot) Ask(ctx context.Context, engine Engine, goal Goal, before map[string]bool) map[string]bool {
	if err := s.Layout.removeQuestion(); err != nil {
		s.Troubles = append(s.Troubles, err.Error())
	}
	var answers map[string]bool
	for i, r := range s.Registrations {
		link, _ := s.Link(r.Module.Name, s.Arch)
		if earlier, asked := before[r.Module.String()]; asked && r.Conf.AskDKMS {
			answers = withAnswer(answers, r.Module, earlier)
		}
		if r.Broken != nil || !r.Conf.AskDKMS || s.NoAutoinstall || link.Version == r.Module.Version || !goal.bringsIn(r.Module) {
			continue
		}
		wanted, err := s.askAbout(ctx, engine, r.Module)
		if err != nil {
			s.answer(i, false, fmt.Errorf("cannot find out whether it is to be installed unasked: %w", err))
			continue
		}
		s.answer(i, wanted, nil)
		answers = withAnswer(answers, r.Module, wanted)
	}
	return answers
}

func withAnswer(answers map[string]bool, m Module, wanted bool) map[string]bool {
	if answers == nil {
		answers = map[string]bool{}
	}
	answers[m.String()] = wanted
	return answers
}

func (s *Snapshot) answer(i int, wanted bool, err error) {
	s.Registrations[i].Conf.Autoinstall, s.Registrations[i].Unanswered = wanted, err
}

// presume takes over what dkms answered when it was last asked.
func (s *Snapshot) presume(answers map[string]bool) {
	for i, r := range s.Registrations {
		if wanted, asked := answers[r.Module.String()]; asked && r.Conf.AskDKMS {
			s.answer(i, wanted, nil)
		}
	}
}

// askAbout asks in a tree that has this one module alone: a module whose dkms.conf
// dkms cannot read ends its autoinstall for all of them (read_conf_or_die).
func (s *Snapshot) askAbout(ctx context.Context, engine Engine, m Module) (bool, error) {
	tree, err := s.Layout.makeQuestion(m)
	if err != nil {
		return false, errors.Join(err, s.Layout.removeQuestion())
	}
	wanted, err := engine.Autoinstalls(ctx, tree, m, s.Kernel, s.Arch)
	return wanted, errors.Join(err, s.Layout.removeQuestion())
}

// questionDir is the tree to ask in, below the hooks' own directory.
const questionDir = "question"

func (l Layout) makeQuestion(m Module) (string, error) {
	tree := filepath.Join(lockDir, questionDir)
	dir := filepath.Join(l.Path(tree), m.Name)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.Symlink(filepath.Join(l.Tree, m.Name, m.Version), filepath.Join(dir, m.Version))
	}
	if err != nil {
		return "", fmt.Errorf("cannot make a tree to ask dkms in: %w", err)
	}
	return tree, nil
}

// removeQuestion removes the tree, also what a run that was killed has left of it.
func (l Layout) removeQuestion() error {
	dir := l.Path(lockDir)
	if !anyExists(dir, questionDir) {
		return nil
	}
	own, err := l.openOwn("")
	if err != nil {
		return fmt.Errorf("cannot remove the tree to ask dkms in: %w", err)
	}
	defer own.Close()
	return removeAll(own, questionDir)
}

// Questions that dkms answers.
const (
	// noSuchModule is a need that is never met, so that dkms autoinstall gets no
	// further than to tell which modules it would install.
	noSuchModule = "dkms-hooks-question"
	// questionLimit bounds one question: dkms reads a file, unless that is endless.
	questionLimit = time.Minute
)

// Autoinstalls asks dkms whether it would install a module of a tree unasked. It reads
// dkms.conf and its overrides as it always does; a need that is laid over them by
// --directive keeps dkms autoinstall from building anything (2.8.4, 3.0.10, 3.2.2).
func (d DKMS) Autoinstalls(ctx context.Context, tree string, m Module, kernel Release, arch string) (bool, error) {
	d.Tree, d.Timeout = tree, min(d.Timeout, questionLimit)
	var out tail
	err := d.dkms(ctx, &out, "autoinstall", "-k", string(kernel), "-a", arch, "--directive", "BUILD_DEPENDS="+noSuchModule)
	return readAnswer(m, out.String(), err)
}

// readAnswer reads what dkms autoinstall printed about a module, and how it ended.
func readAnswer(m Module, output string, err error) (bool, error) {
	var call *CallError
	switch {
	case strings.Contains(output, m.String()+" autoinstall failed due to missing dependencies: "+noSuchModule):
		return true, nil // exit status 11, and 0 of dkms 2.8.4
	case err == nil && strings.Contains(output, "\nDIRECTIVE: BUILD_DEPENDS="):
		return false, nil
	case err == nil:
		return false, fmt.Errorf("dkms autoinstall does not mention %s", m)
	case errors.As(err, &call) && call.Code == badConf:
		return false, fmt.Errorf("dkms cannot use its dkms.conf: %w", explain(err, ""))
	}
	return false, explain(err, "")
}

// badConf is dkms's exit status for a dkms.conf that lacks what it needs
// (read_conf_or_die).
const badConf = 8

package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// Ask lets dkms find out which modules it would install unasked on the kernel, and which
// others these need, where that does not show in a dkms.conf, and puts its answers into the
// snapshot. What the goal leaves off is not asked about, nor what is installed and stays as
// it is. It returns the answers, by MODULE/VERSION, with those of before that still count,
// for Examine to know when nothing may be run.
func Ask(ctx context.Context, s *dkmsstate.Snapshot, engine dkms.Engine, goal plan.Goal, before map[string]dkmsstate.Answer) map[string]dkmsstate.Answer {
	if err := removeQuestion(s.Layout); err != nil {
		s.Troubles = append(s.Troubles, err.Error())
	}
	answers := map[string]dkmsstate.Answer{}
	for i, r := range s.Registrations {
		if !r.Conf.AutoinstallUnknown && !r.Conf.DependsUnknown {
			continue
		}
		if earlier, asked := before[r.Module.String()]; asked {
			answers[r.Module.String()] = earlier
		}
		if !askable(s, r, goal) {
			continue
		}
		answer, err := askAbout(ctx, s, engine, r.Module)
		if err != nil {
			s.Unanswered(i, fmt.Errorf("cannot find out whether it is to be installed automatically: %w", err))
			continue
		}
		s.Answer(i, answer)
		answers[r.Module.String()] = answer
	}
	if len(answers) == 0 {
		return nil
	}
	return answers
}

// askable reports whether an answer about a module would change what is planned: it may be
// brought in, or it is installed, and a build of it follows.
func askable(s *dkmsstate.Snapshot, r dkmsstate.Registration, goal plan.Goal) bool {
	link, _ := s.Link(r.Module.Name, s.Arch)
	b, _ := s.Build(r.Module, s.Arch)
	builds := s.Buildable() && (!b.Complete() || b.Fresh.Verdict == dkmsstate.Stale)
	switch {
	case r.Broken != nil || s.NoAutoinstall: // dkms says nothing then
		return false
	case link.Version == r.Module.Version:
		return r.Conf.DependsUnknown && builds
	case s.Latest(r.Module.Name).Module != r.Module || !goal.BringsIn(r.Module):
		return false
	}
	return r.Conf.AutoinstallUnknown || r.Conf.Autoinstall && builds
}

// askAbout asks in a tree that has this one module alone: a module whose dkms.conf
// dkms cannot read ends its autoinstall for all of them (read_conf_or_die).
func askAbout(ctx context.Context, s *dkmsstate.Snapshot, engine dkms.Engine, m dkmsstate.Module) (dkmsstate.Answer, error) {
	tree, err := makeQuestion(s.Layout, m)
	if err != nil {
		return dkmsstate.Answer{}, errors.Join(err, removeQuestion(s.Layout))
	}
	answer, err := engine.AskAutoinstall(ctx, tree, m, s.Kernel, s.Arch)
	return answer, errors.Join(err, removeQuestion(s.Layout))
}

// questionDir is the tree to ask in, below the hooks' own directory.
const questionDir = "question"

func makeQuestion(l dkmsstate.Layout, m dkmsstate.Module) (string, error) {
	tree := filepath.Join(dkmsstate.StateDir, questionDir)
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
func removeQuestion(l dkmsstate.Layout) error {
	dir := l.Path(dkmsstate.StateDir)
	if !dkmsstate.AnyExists(dir, questionDir) {
		return nil
	}
	own, err := record.OpenOwn(l, "")
	if err != nil {
		return fmt.Errorf("cannot remove the tree to ask dkms in: %w", err)
	}
	defer own.Close()
	return own.RemoveAll(questionDir)
}

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

// Ask asks dkms which modules it would install unasked on the kernel, and which others these
// need, where a dkms.conf does not show that. It stores the answers in the snapshot. It does
// not ask about modules that the goal leaves off, nor about installed ones that stay as they
// are. It returns the answers by MODULE/VERSION, together with those of before that still
// count, so that Examine can use them when nothing may be run.
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
			s.Unanswered(i, fmt.Errorf("cannot determine whether it is to be installed automatically: %w", err))
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

// askable reports whether an answer about a module would change the plan: the module may be
// brought in, or it is installed and will be built.
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

// askAbout asks dkms in a tree that contains only this module. In a tree with others, a single
// dkms.conf that dkms cannot read ends its autoinstall for all modules (read_conf_or_die).
func askAbout(ctx context.Context, s *dkmsstate.Snapshot, engine dkms.Engine, m dkmsstate.Module) (dkmsstate.Answer, error) {
	tree, err := makeQuestion(s.Layout, m)
	if err != nil {
		return dkmsstate.Answer{}, errors.Join(err, removeQuestion(s.Layout))
	}
	answer, err := engine.AskAutoinstall(ctx, tree, m, s.Kernel, s.Arch)
	return answer, errors.Join(err, removeQuestion(s.Layout))
}

// questionDir is the name of that tree in the hooks' own directory.
const questionDir = "question"

func makeQuestion(l dkmsstate.Layout, m dkmsstate.Module) (string, error) {
	tree := filepath.Join(dkmsstate.StateDir, questionDir)
	dir := filepath.Join(l.Path(tree), m.Name)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.Symlink(filepath.Join(l.DKMSTree, m.Name, m.Version), filepath.Join(dir, m.Version))
	}
	if err != nil {
		return "", fmt.Errorf("cannot create the tree for a question to dkms: %w", err)
	}
	return tree, nil
}

// removeQuestion removes the tree, including one that a killed run left behind.
func removeQuestion(l dkmsstate.Layout) error {
	dir := l.Path(dkmsstate.StateDir)
	if !dkmsstate.AnyExists(dir, questionDir) {
		return nil
	}
	own, err := record.OpenOwn(l, "")
	if err != nil {
		return fmt.Errorf("cannot remove the tree for a question to dkms: %w", err)
	}
	defer own.Close()
	return own.RemoveAll(questionDir)
}

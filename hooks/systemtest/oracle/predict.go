package oracle

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// The words of a prediction.
const (
	loads      = "loads"
	doesNot    = "does not load"
	cannotTell = "cannot tell"
)

// word is what is predicted, or what a boot showed: one of the words, or a kernel.
type word struct{ text, reason string }

// status is what a prediction needs of `status --json`.
type status struct {
	Next struct {
		Kernel, Certainty, Reason string
	} `json:"next_boot"`
	Kernels []struct {
		Release string
		Modules []struct {
			Module string
			State  string
			Load   *struct{ Verdict, Reason string }
		}
	}
}

// predictOutside lets the package in a root predict about it from outside.
func predictOutside(t lab.T, c Cell, m machine) word {
	t.Helper()
	out, err := exec.Command(m.Path("usr/libexec/dkms-hooks/dkms-hooks"), "status", "--json", "--root", m.Dir).Output()
	if len(out) == 0 {
		require.NoError(t, err)
	}
	return predicted(t, c, m, string(out))
}

// predicted returns what a status predicts about the question of a cell.
func predicted(t lab.T, c Cell, m machine, text string) word {
	t.Helper()
	var s status
	require.NoError(t, json.Unmarshal([]byte(text), &s), text)
	if c.Module == "" {
		if s.Next.Certainty != "decided" {
			return word{cannotTell, fmt.Sprintf("%s %s: %s", s.Next.Certainty, s.Next.Kernel, s.Next.Reason)}
		}
		return word{s.Next.Kernel, s.Next.Reason}
	}
	for _, kernel := range s.Kernels {
		for _, module := range kernel.Modules {
			if kernel.Release != m.kernel || module.Module != c.Module {
				continue
			}
			if module.Load == nil {
				return word{cannotTell, "no verdict on a module that is not wanted on the kernel"}
			}
			return word{module.Load.Verdict, module.Load.Reason}
		}
	}
	return word{cannotTell, "the status has no such module on " + m.kernel}
}

// others are what other programs say in the same cell.
type others struct{ dkms, mokutil, needrestart string }

// askDKMS returns what dkms status says of the module.
func askDKMS(t lab.T, c Cell, m machine) string {
	t.Helper()
	out, _ := m.Run(t, "dkms status")
	var said []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, c.Module) && (strings.Contains(line, m.kernel) || strings.Contains(line, ": added")) {
			_, state, _ := strings.Cut(strings.TrimSpace(line), ": ")
			said = append(said, state)
		}
	}
	return strings.Join(said, "; ")
}

// hear adds what a guest heard from the programs that it asked.
func (o *others) hear(from console) {
	if said, asked := from["mokutil"]; asked {
		o.mokutil = strings.ReplaceAll(said, "/var/lib/dkms/", "")
	}
	said := map[string]string{}
	for _, field := range strings.Split(from["needrestart"], "NEEDRESTART-") {
		key, value, _ := strings.Cut(field, ":")
		said[key] = strings.TrimSpace(value)
	}
	switch said["KSTA"] {
	case "1":
		o.needrestart = "no reboot is needed"
	case "2", "3":
		o.needrestart = "another kernel is expected: " + said["KEXP"]
	}
}

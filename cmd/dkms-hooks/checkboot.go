package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

// secureBoot parses the option --secure-boot.
func secureBoot(c *cli.Context) (hooks.SecureBoot, error) {
	if !c.IsSet("secure-boot") {
		return hooks.SecureBootAsIs, nil
	}
	if !c.Bool("boot") || !c.IsSet("root") {
		return 0, errors.New("--secure-boot is for --boot and --root: a running system shows whether it has Secure Boot")
	}
	switch value := strings.ToLower(c.String("secure-boot")); value {
	case "on":
		return hooks.SecureBootOn, nil
	case "off":
		return hooks.SecureBootOff, nil
	default:
		return 0, fmt.Errorf("cannot use --secure-boot %q: on or off", value)
	}
}

// checkBoot prints whether the modules will be there after the next boot.
func (p program) checkBoot(ctx context.Context, c *cli.Context, inv hooks.Invocation) int {
	check, err := hooks.ReadBootCheck(ctx, inv)
	if err != nil {
		return p.failed(err)
	}
	p.printTroubles(check.Overview)
	out := p.page(c)
	defer out.Flush()
	if !inv.Quiet {
		out.line(cell{"next boot: ", bold}, cell{check.NextBootText(), plain})
	}
	var rows [][]cell
	other := check.Findings
	for _, m := range check.Modules() {
		if inv.Quiet && (m.Load.Verdict == hooks.WillLoad || m.Load.Chosen) {
			continue
		}
		rows = append(rows, loadRow(m))
		about := func(f hooks.Finding) bool { return f.Kernel != "" && f.Module == m.Module+"/"+m.Version }
		for _, f := range other {
			if about(f) {
				rows = append(rows, []cell{{"    fix: " + f.Fix, faint}})
			}
		}
		other = slices.DeleteFunc(slices.Clone(other), about)
	}
	out.table("  ", rows)
	for _, f := range other {
		out.finding(f, cell{"  fix: ", faint})
	}
	if !inv.Quiet {
		out.line(cell{bootSummary(check), bold})
	}
	return check.Status()
}

// loadRow describes whether a module is loaded.
func loadRow(m hooks.ModuleView) []cell {
	how := warn
	switch {
	case m.Load.Verdict == hooks.WillLoad:
		how = good
	case m.Load.Verdict == hooks.WillNotLoad && !m.Load.Chosen:
		how = bad
	}
	return []cell{{m.Module + "/" + m.Version, plain}, {string(m.Load.Verdict), how}, {cmp.Or(m.Load.Reason, unusualReason(m)), plain}}
}

// unusualReason returns what is unusual about a module that loads, such as that nothing asks for it.
func unusualReason(m hooks.ModuleView) string {
	if !m.Unusual {
		return ""
	}
	return m.Reason
}

// bootSummary returns the last line of check --boot.
func bootSummary(check hooks.BootCheck) string {
	switch {
	case check.Kernel == "" || len(check.Modules()) == 0 && check.Status() == hooks.StatusUnknown:
		return "cannot tell which modules will be there"
	case check.Status() == hooks.StatusOK:
		text := fmt.Sprintf("after the next boot the modules will be there (%d on %s)", check.Count(hooks.WillLoad), check.Kernel)
		if chosen := len(check.Modules()) - check.Count(hooks.WillLoad); chosen > 0 {
			text += fmt.Sprintf(", except %d that the configuration keeps from loading", chosen)
		}
		return text
	}
	return fmt.Sprintf("%s: modules that load: %d, that do not load: %d, of which it cannot be told: %d; problems: %d",
		check.Kernel, check.Count(hooks.WillLoad), check.Count(hooks.WillNotLoad), check.Count(hooks.CannotTell), len(check.Findings))
}

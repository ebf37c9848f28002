//go:build integration

package systemtest

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dkms-hooks/hooks/systemtest/lab"
)

// scenario is something that happens to a machine with DKMS modules, and the end that
// is right whatever hooks the machine has. It is played with the stock hooks and with
// ours, and both ends are judged by the same script.
type scenario struct {
	// kind is the section of the report that it is in.
	kind, name string
	// from is where it begins: with the kernel K and the module alpha installed
	// there, unless it says fresh (no kernel) or two (K and OTHER).
	from string
	// steps are shell scripts with the functions of stockwisePrelude, each of which
	// has to exit with 0. What a step mounts is there until the scenario ends.
	steps []string
	// right is a script of the functions of stockwiseJudge, each of which reports in
	// what the end is not right.
	right string
	// quick: it is part of make check.
	quick bool
	// asStock: ours has to end right only where stock does.
	asStock bool
	// stock: the end of the stock hooks is known to be right, in these suites ("all"
	// for each). Else the script that judges is not to be trusted.
	stock string
}

// scenarios are all of them, by kind.
func scenarios() []scenario {
	var all []scenario
	for _, some := range [][]scenario{
		ownerScenarios(), damageScenarios(), symbolScenarios(), sharedFileScenarios(), unaskedScenarios(), removedScenarios(),
		failureScenarios(), environmentScenarios(), signalScenarios(), machineScenarios(), headersScenarios(), confScenarios(), nestedScenarios(), placeScenarios(), distributionScenarios(),
	} {
		all = append(all, some...)
	}
	return all
}

// stockwise is a suite's roots for scenarios, once with the stock hooks and once with ours.
type stockwise struct {
	suite
	env         []string
	stock, ours stage
	report      *stockwiseReport
}

// testStockwise plays what the stock hooks may get right and these wrong. A scenario that
// ends right with stock and not with ours fails, and so does one that does not end right
// with ours, unless it says that it need not.
func testStockwise(t *testing.T, l suite) {
	s := &stockwise{suite: l, report: &stockwiseReport{}}
	s.makeStages(t)
	t.Run("of", func(t *testing.T) {
		for i, sc := range scenarios() {
			if l.stockwiseDir == "" && !sc.quick {
				continue
			}
			t.Run(sc.kind+"/"+sc.name, func(t *testing.T) {
				l.turns.need(t, i)
				t.Parallel()
				s.compare(t, sc)
			})
		}
		t.Run("packages", func(t *testing.T) {
			l.turns.need(t, 1)
			s.testPackages(t)
		})
	})
	s.report.write(t, l)
}

// compare plays a scenario twice and judges.
func (s *stockwise) compare(t *testing.T, sc scenario) {
	t.Helper()
	stock, ours := s.play(t, sc, s.stock), s.play(t, sc, s.ours)
	if stock.skip != "" {
		t.Skip(stock.skip)
	}
	s.report.add(result{kind: sc.kind, name: sc.name, steps: len(sc.steps), stock: stock.wrong, ours: ours.wrong})
	switch {
	case len(stock.wrong) > 0 && (sc.stock == "all" || strings.Contains(sc.stock, s.Name)):
		t.Errorf("stock is known to be right, and is not: the scenario is wrong\n%s\n%s", strings.Join(stock.wrong, "\n"), stock.out)
	case len(ours.wrong) == 0:
	case len(stock.wrong) == 0:
		t.Errorf("stock is right, ours is not: %s\nstock:\n%s\nours:\n%s", strings.Join(ours.wrong, "; "), stock.out, ours.out)
	case !sc.asStock:
		t.Errorf("ours is not right: %s\nstock: %s\nours:\n%s", strings.Join(ours.wrong, "; "), strings.Join(stock.wrong, "; "), ours.out)
	}
}

// played is what came of a scenario with one kind of hooks.
type played struct {
	out   string
	wrong []string
	skip  string
}

// play runs the steps and the judge in one shell, so that what is mounted stays.
func (s *stockwise) play(t *testing.T, sc scenario, st stage) played {
	t.Helper()
	r := map[string]lab.Root{"": st.settled, fresh: st.fresh, two: st.two}[sc.from].Fork(t, s.Scratch)
	var script strings.Builder
	script.WriteString(lab.Prelude + stockwisePrelude())
	for i, step := range sc.steps {
		fmt.Fprintf(&script, "echo '--- step %d'\n(\n%s\n) || wrong 'step %d exited with' $?\n", i+1, step, i+1)
	}
	fmt.Fprintf(&script, "echo '--- the end'\n%s%s\n", stockwiseJudge(), sc.right)
	out, exit := r.Run(t, script.String(), s.env...)
	if exit != 0 {
		out += fmt.Sprintf("JUDGED: the script ended with %d\n", exit)
	}
	return judged(out)
}

// judged finds the lines of the judge in an output.
func judged(out string) played {
	p := played{out: out}
	for _, m := range regexp.MustCompile(`(?m)^(JUDGED|SKIPPED): (.*)$`).FindAllStringSubmatch(out, -1) {
		if m[1] == "JUDGED" {
			p.wrong = append(p.wrong, m[2])
		} else {
			p.skip = m[2]
		}
	}
	return p
}

// makeStages makes the roots in which scenarios begin.
func (s *stockwise) makeStages(t *testing.T) {
	t.Helper()
	base := s.Base().Fork(t, s.Scratch)
	base.CopyIn(t, filepath.Join(s.Top, "testdata", "lab", "mkmodule"), "mkmodule")
	s.CopyPrelude(t, base)
	base.Must(t, "chmod 755 /srv/mkmodule")
	s.makePackages(t, base)
	s.Make(t, "mkmodule", base.Dir, "alpha", "1.0", "--count")
	stage := func(from lab.Root) stage {
		st := stage{fresh: from}
		st.settled = st.fresh.Fork(t, s.Scratch)
		s.begin(t, st.settled, "comes $K")
		st.two = st.settled.Fork(t, s.Scratch)
		s.begin(t, st.two, "comes $OTHER")
		return st
	}
	s.stock, s.ours = stage(base), stage(s.InstallOurs(t, base))
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// mixtureResult is a mixture that was built and installed.
type mixtureResult struct {
	machine machine
	mixture mixture
	// stock and ours are the costs of the postinst hook.
	stock, ours costs
}

// mixtureSet is what the mixtures of a suite cost.
type mixtureSet struct {
	results []mixtureResult
	// depmod is what one depmod costs there, idle what modules cost without a step.
	depmod costs
	idle   mixtureResult
}

// mixtureRows runs the mixtures that are asked for.
func (l *roots) mixtureRows(t lab.T) mixtureSet {
	t.Helper()
	var set mixtureSet
	var s smallRoots
	for _, m := range machines() {
		for _, x := range mixtures() {
			if !l.asked(fmt.Sprintf("mixture on %d processors: %s", m.processors, x.name), len(x.sleepers), 1) {
				continue
			}
			if s.roots == nil {
				s = l.newSmallRoots(t)
				for range 3 {
					set.depmod = append(set.depmod, measure(t, s.stock, command("depmod", "-a", l.Kver)))
				}
				idle := mixture{name: "without a step", sleepers: make([]sleeper, 8)}
				set.idle = s.measureMixture(t, machine{processors: 2, unit: 1, step: 1}, idle)
			}
			res := s.measureMixture(t, m, x)
			set.results = append(set.results, res)
			t.Logf("%s: mixture on %d processors: %s: stock %s, ours %s, bound %s", l.Name, m.processors, x.name,
				timeText(res.stock.wall()), timeText(res.ours.wall()), timeText(m.bound(x)+set.depmod.wall()))
		}
	}
	return set
}

// measureMixture runs the hook once with stock and once with ours.
func (s smallRoots) measureMixture(t lab.T, m machine, x mixture) mixtureResult {
	t.Helper()
	res := mixtureResult{machine: m, mixture: x}
	for range s.rounds(1) {
		res.stock = append(res.stock, s.measureSleepers(t, s.stock, m, x))
		res.ours = append(res.ours, s.measureSleepers(t, s.ours, m, x))
	}
	return res
}

func (s smallRoots) measureSleepers(t lab.T, from lab.Root, m machine, x mixture) cost {
	t.Helper()
	r := from.Fork(t, s.Scratch)
	defer r.Drop()
	// What asks for the number of processors is dkms, by nproc(1).
	require.NoError(t, os.Remove(r.Path("usr/bin/nproc")))
	require.NoError(t, os.WriteFile(r.Path("usr/bin/nproc"), fmt.Appendf(nil, "#!/bin/sh\necho %d\n", m.processors), 0o755))
	write(t, r.Path("etc/dkms-hooks.conf"), fmt.Appendf(nil, "Jobs: %d\n", m.processors))
	for i, sleeper := range x.sleepers {
		m.register(t, r, i, sleeper)
	}
	hook := hookCall("postinst", s.Kver, "configure 1")
	run := measured{env: hook.env, args: append([]string{"sh", "-ec", `exec 3<>/srv/processors; printf "%` + fmt.Sprint(m.processors) + `s" "" >&3; "$@"`, "sh"}, hook.args...)}
	if x.known {
		measure(t, r, run)
		for i := range x.sleepers {
			r.Must(t, `dkms unbuild "$MODULE/1.0" -k "$K" --no-depmod`, "MODULE="+moduleName(i), "K="+s.Kver)
		}
	}
	c := measure(t, r, run)
	installed, err := filepath.Glob(r.Path("lib/modules", s.Kver, "updates", "dkms", "*"))
	require.NoError(t, err)
	require.Len(t, installed, len(x.sleepers))
	return c
}

// register gives the root a module that sleeps.
func (m machine) register(t lab.T, r lab.Root, i int, s sleeper) {
	t.Helper()
	name := moduleName(i)
	source := filepath.Join("usr/src", name+"-1.0")
	step := fmt.Sprintf("/srv/step /srv/processors %d", m.step)
	var recipe strings.Builder
	fmt.Fprintf(&recipe, "wide := $(addprefix step.,$(shell seq %d))\n.PHONY: all serial $(wide)\n", m.wide(s))
	fmt.Fprintf(&recipe, "all: serial $(wide)\n\tcp /srv/plain.ko %s.ko\n", name)
	fmt.Fprintf(&recipe, "serial:%s\n$(wide): serial\n\t@%s\n", strings.Repeat("\n\t@"+step, s.serial), step)
	write(t, r.Path(source, "Makefile"), []byte(recipe.String()))
	conf := fmt.Sprintf("PACKAGE_NAME=%q\nPACKAGE_VERSION=\"1.0\"\nBUILT_MODULE_NAME[0]=%q\nDEST_MODULE_LOCATION[0]=\"/updates/dkms\"\n"+
		"MAKE[0]=\"make\"\nCLEAN=\"true\"\nAUTOINSTALL=\"yes\"\n", name, name)
	if s.needs > 0 {
		conf += fmt.Sprintf("BUILD_DEPENDS[0]=%q\n", moduleName(s.needs-1))
	}
	write(t, r.Path(source, "dkms.conf"), []byte(conf))
	require.NoError(t, os.MkdirAll(r.Path("var/lib/dkms", name, "1.0"), 0o755))
	require.NoError(t, os.Symlink("/"+source, r.Path("var/lib/dkms", name, "1.0", "source")))
}

// mixtureTable is how near the schedule comes to the bound.
func (p part) mixtureTable(b *strings.Builder) {
	if len(p.mixtures.results) == 0 {
		return
	}
	idle, depmod := p.mixtures.idle, p.mixtures.depmod.wall()
	n := float64(len(idle.mixture.sleepers))
	fmt.Fprintf(b, "\n### Building mixtures of modules, on as many processors\n\n"+
		"The postinst hook for modules whose make sleeps in steps, of which as many at a time as there are to be processors, each with a token for its step: so this machine shows the schedule of a larger one. "+
		"The bound is all steps ÷ processors, or the longest row of steps that have to follow each other, and one depmod of a small module tree (%s). "+
		"What dkms itself costs is in neither: without a step, %.0f modules take stock %s and ours %s.\n\n"+
		"| processors | mixture | N | stock | ours | bound | ours / bound | ours / stock |\n|---|---|---|---|---|---|---|---|\n",
		timeText(depmod), n, timeText(idle.stock.wall()), timeText(idle.ours.wall()))
	for _, res := range p.mixtures.results {
		bound := res.machine.bound(res.mixture) + depmod
		fmt.Fprintf(b, "| %d | %s | %d | %s | %s | %s | %s | %s |\n", res.machine.processors, res.mixture.name, len(res.mixture.sleepers),
			timeText(res.stock.wall()), timeText(res.ours.wall()), timeText(bound), share(res.ours.wall(), bound), share(res.ours.wall(), res.stock.wall()))
	}
}

package hooks

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"dkms-hooks/dkmsstate"
)

// Status shows for each kernel, or for the invocation's alone, how its modules are:
// what is installed, whether it fits, and what went wrong last. It changes nothing and
// needs no lock. It returns 0 when every kernel has what it should have, else 1.
func Status(ctx context.Context, inv Invocation, stdout, stderr io.Writer) int {
	layout, troubles := dkmsstate.ReadLayout(inv.Root)
	for _, trouble := range troubles {
		fmt.Fprintf(stderr, "dkms-hooks: %s\n", trouble)
	}
	record := layout.ReadRecord()
	survey, err := layout.Survey()
	if err != nil {
		fmt.Fprintf(stderr, "dkms-hooks: %v\n", err)
		return exitFailed
	}
	kernels := survey.Kernels(record)
	if inv.Kernel != "" {
		kernels = []dkmsstate.Release{inv.Kernel}
	}
	code := exitOK
	out := bufio.NewWriter(stdout)
	defer out.Flush()
	bootable := bootable(layout)
	for _, kernel := range kernels {
		kept := record.Kernel(kernel)
		s := survey.Snapshot(kernel, machineArch(), kept)
		s.Examine(ctx, kept)
		if !showKernel(out, s, kept, slices.Contains(bootable, kernel)) {
			code = exitFailed
		}
	}
	if len(kernels) == 0 {
		fmt.Fprintln(out, "no kernels")
	}
	return code
}

// showKernel shows one kernel, and says whether it has what it should have.
func showKernel(out io.Writer, s dkmsstate.Snapshot, kept dkmsstate.KernelRecord, boots bool) bool {
	fmt.Fprintf(out, "%s  %s\n", s.Kernel, strings.Join(kernelWords(s, boots), ", "))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer table.Flush()
	plan := dkmsstate.PlanAutoinstall(s)
	whole := true
	for _, r := range s.Registrations {
		state, reason, wanted := moduleWords(s, plan, r)
		if wanted && s.There {
			whole = false
		}
		last, tried := kept.Last[r.Module.String()]
		fmt.Fprintf(table, "  %s\t%s\t%s\n", r.Module, state, reason)
		if tried && last.Result != dkmsstate.LastInstalled {
			fmt.Fprintf(table, "  \t%s %s\t%s\n", last.Result, last.When.Format("2006-01-02 15:04"), last.Text)
		}
		if tried && last.Log != "" && last.Result != dkmsstate.LastInstalled {
			fmt.Fprintf(table, "  \tlog\t%s\n", last.Log)
		}
	}
	if s.There && plan.Depmod != "" {
		fmt.Fprintf(table, "  modules.dep\tout of date\t%s\n", plan.Depmod)
		whole = false
	}
	return whole
}

func kernelWords(s dkmsstate.Snapshot, boots bool) []string {
	var words []string
	if boots {
		words = append(words, "may boot next")
	}
	if s.Layout.Root == "/" && runningKernel() == string(s.Kernel) {
		words = append(words, "running")
	}
	switch {
	case !s.There:
		words = append(words, "not there")
	case s.Mismatch != "":
		words = append(words, "headers of another build: "+s.Mismatch)
	case s.Headers:
		words = append(words, "with headers")
	default:
		words = append(words, "without headers")
	}
	if why := s.Layout.Pending(s.Kernel); why != "" {
		words = append(words, "work "+string(why))
	}
	return words
}

// moduleWords gives the state of a module on a kernel, with what is to be known of it,
// and whether something that is wanted is missing.
func moduleWords(s dkmsstate.Snapshot, plan dkmsstate.Plan, r dkmsstate.Registration) (state, reason string, missing bool) {
	b, built := s.Build(r.Module, s.Arch)
	link, linked := s.Link(r.Module.Name, s.Arch)
	linked = linked && link.Version == r.Module.Version
	switch {
	case s.Whole(r.Module):
		state = "installed"
	case linked:
		state = "damaged"
	case built && b.Complete():
		state = "built"
	default:
		state = "added"
	}
	if b.Complete() {
		state += ", " + string(b.Fresh.Verdict)
		reason = b.Fresh.Reason
	}
	for _, task := range plan.Tasks {
		if task.Module == r.Module && task.Installs() {
			return state, task.Steps[0].Reason, true
		}
	}
	for _, m := range plan.NeedHeaders {
		if m == r.Module {
			if reason == "" {
				reason = "it waits for the kernel's headers"
			}
			return state, reason, true
		}
	}
	if r.Broken != nil {
		return state, inOneLine(r.Broken.Error()), !s.Whole(r.Module)
	}
	return state, reason, false
}

package oracle

import (
	"fmt"
	"strings"
)

// Table is the results as a page. versions describes what was tested and with what.
func Table(results []Result, date, versions string) string {
	count := map[string]int{}
	for _, r := range results {
		count[r.verdict()]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What was predicted about the next boot, and what the boot showed\n\n"+
		"Written by `make oracle` on %s: %s. Each machine was asked by `dkms-hooks status --json` before it was booted in qemu: inside the running machine, or from its files with `--root`. "+
		"A module *loads* if the file that dkms installed is the one that is loaded, by the build identifier that the kernel shows.\n\n"+
		"Cells: %d. Right: %d. WRONG: %d. Cannot tell: %d.\n", date, versions, len(results), count["right"], count["WRONG"], count[cannotTell])
	b.WriteString("\n| about | machine | kernel | asked | predicted | the boot showed | | `dkms status` | `mokutil --test-key` | needrestart |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Cell.Group, r.name(), r.Cell.On.kernel(), r.where,
			r.predicted, r.seen, r.verdict(), or(r.others.dkms), or(r.others.mokutil), or(r.others.needrestart))
	}
	b.WriteString("\n## Why it could not be told\n\n| reason | cells |\n|---|---|\n")
	reasons := map[string]int{}
	var order []string
	for _, r := range results {
		if r.Unsure() {
			if reasons[r.predicted.reason] == 0 {
				order = append(order, r.predicted.reason)
			}
			reasons[r.predicted.reason]++
		}
	}
	for _, reason := range order {
		fmt.Fprintf(&b, "| %s | %d |\n", cellText(reason), reasons[reason])
	}
	return b.String()
}

func (r Result) name() string {
	name := r.Cell.Name
	if r.Cell.Group == "choice" {
		name = string(r.Cell.Starts) + ": " + name
	}
	return cellText(name)
}

func (w word) String() string {
	if w.reason == "" {
		return cellText(w.text)
	}
	return cellText(w.text + ": " + w.reason)
}

func or(text string) string {
	if text == "" {
		return "–"
	}
	return cellText(text)
}

// cellText returns a text as the cell of a table.
func cellText(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

package oracle

import (
	"fmt"
	"strings"
)

// row is a line of the table. Its first three cells name the cell that was played.
type row []string

// header has the names of what a row holds.
func header() row {
	return row{"about", "machine", "kernel", "asked", "predicted", "the boot showed", "", "`dkms status`", "`mokutil --test-key`", "needrestart", "played"}
}

func (r row) String() string  { return "| " + strings.Join(r, " | ") + " |\n" }
func (r row) key() string     { return strings.Join(r[:3], " | ") }
func (r row) verdict() string { return r[6] }

// unsure returns why the prediction is that it cannot be told.
func (r row) unsure() (string, bool) { return strings.CutPrefix(r[4], cannotTell+": ") }

func (r Result) row(date string) row {
	return row{r.Cell.Group, r.Cell.name(), r.Cell.On.kernel(), r.where, r.predicted.String(), r.seen.String(), r.verdict(),
		or(r.others.dkms), or(r.others.mokutil), or(r.others.needrestart), date}
}

// readRows returns the rows of a page by their keys.
func readRows(page string) map[string]row {
	rows := map[string]row{}
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "| "), " |")
		if r := row(strings.Split(line, " | ")); len(r) == len(header()) {
			rows[r.key()] = r
		}
	}
	return rows
}

// Table returns a page with the results of a run. The rows of other cells are those of the page
// before it.
func Table(before string, results []Result, date, versions string) string {
	rows := readRows(before)
	for _, r := range results {
		r := r.row(date)
		rows[r.key()] = r
	}
	var lines strings.Builder
	played, count, reasons, order := 0, map[string]int{}, map[string]int{}, []string{}
	for _, c := range Cells() {
		r, ok := rows[row{c.Group, c.name(), c.On.kernel()}.key()]
		if !ok {
			continue
		}
		lines.WriteString(r.String())
		played++
		count[r.verdict()]++
		if reason, ok := r.unsure(); ok {
			if reasons[reason]++; reasons[reason] == 1 {
				order = append(order, reason)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What was predicted about the next boot, and what the boot showed\n\n"+
		"Written by `make oracle`, the last time on %s: %s. Each machine was asked by `dkms-hooks status --json` before it was booted in qemu: inside the running machine, or from its files with `--root`. "+
		"A module *loads* if the file that dkms installed is the one that is loaded, by the build identifier that the kernel shows.\n\n"+
		"Cells: %d. Right: %d. WRONG: %d. Cannot tell: %d.\n", date, versions, played, count["right"], count["WRONG"], count[cannotTell])
	fmt.Fprintf(&b, "\n%s|%s\n%s", header(), strings.Repeat("---|", len(header())), lines.String())
	b.WriteString("\n## Why it could not be told\n\n| reason | cells |\n|---|---|\n")
	for _, reason := range order {
		fmt.Fprintf(&b, "| %s | %d |\n", reason, reasons[reason])
	}
	return b.String()
}

func (c Cell) name() string {
	name := c.Name
	if c.Group == "choice" {
		name = string(c.Starts) + ": " + name
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

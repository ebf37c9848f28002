package systemtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// row is something that happens to a kernel, as a shell script, and what must
// have come of it, whatever the caller tells the hooks.
type row struct {
	name string
	// style is the only style of kernel packages that has it, "" for both.
	style string
	// from is what it begins with: settled, with the kernel and its headers
	// installed and every module in place, unless it says fresh or two.
	from string
	do   string
	want ending
}

// Where a row begins.
const (
	fresh = "fresh"
	two   = "two"
)

// readRows reads the transitions in a directory, in the order of their files' names.
func readRows(dir string) ([]row, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.sh"))
	if err != nil {
		return nil, fmt.Errorf("cannot list the transitions: %w", err)
	}
	var rows []row
	for _, file := range files {
		if filepath.Base(file) == "lib.sh" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read a transition: %w", err)
		}
		r, err := parseRow(file, string(text))
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// parseRow reads a transition: a script whose first lines are "#!/bin/sh" and a header
// of lines "# key: value", which an empty line ends.
func parseRow(file, text string) (row, error) {
	r := row{do: text}
	header, script, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSuffix(header, "\n"), "\n")
	at := func(i int, err error) error { return fmt.Errorf("cannot read %s:%d: %w", file, i+1, err) }
	switch {
	case lines[0] != "#!/bin/sh":
		return row{}, at(0, errors.New("the first line is not #!/bin/sh"))
	case strings.TrimSpace(script) == "":
		return row{}, at(len(lines), errors.New("no script follows the header and an empty line"))
	}
	given := map[string]bool{}
	for i, line := range lines[1:] {
		rest, comment := strings.CutPrefix(line, "# ")
		key, value, pair := strings.Cut(rest, ": ")
		if !comment || !pair {
			return row{}, at(i+1, fmt.Errorf("%q is not of the form # key: value", line))
		}
		if given[key] {
			return row{}, at(i+1, fmt.Errorf("%s is given twice", key))
		}
		given[key] = true
		if err := r.set(key, value); err != nil {
			return row{}, at(i+1, err)
		}
	}
	for _, key := range []string{"name", "image", "modules"} {
		if !given[key] {
			return row{}, at(len(lines)-1, fmt.Errorf("the header ends without %s", key))
		}
	}
	return r, nil
}

// set takes a line of the header.
func (r *row) set(key, value string) error {
	fortunes := []string{string(present), string(unbuilt), string(gone)}
	var known []string
	switch key {
	case "name":
		r.name = value
	case "style":
		r.style, known = value, allStyles()
	case "from":
		r.from, known = value, []string{fresh, two}
	case "image":
		if r.want.image = value; value == unknown {
			r.want.image = ""
		}
		known = []string{anyStatus, unknown, installed, configFiles, keptInstalled, halfConfigured}
	case "modules":
		r.want.modules, known = fortune(value), fortunes
	case "other":
		r.want.other, known = fortune(value), fortunes
	case "kept":
		r.want.kept, known = true, []string{"yes"}
	case "exit":
		exit, err := strconv.ParseUint(value, 10, 8)
		if err != nil || exit == 0 {
			return fmt.Errorf("exit is no exit status of a failure: %q", value)
		}
		r.want.exit = int(exit)
	default:
		return fmt.Errorf("there is no key %q", key)
	}
	if known != nil && !slices.Contains(known, value) {
		return fmt.Errorf("%s is %q and none of: %s", key, value, strings.Join(known, ", "))
	}
	return nil
}

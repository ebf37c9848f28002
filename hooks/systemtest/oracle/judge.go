package oracle

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// Result is a cell that was played.
type Result struct {
	Cell            Cell
	predicted, seen word
	others          others
	where           string
	// console is what the judging boot printed.
	console string
}

// Wrong reports whether the prediction is a word that the boot contradicts.
func (r Result) Wrong() bool {
	return r.predicted.text != cannotTell && r.predicted.text != r.seen.text
}

// Unsure reports whether the prediction is that it cannot be told.
func (r Result) Unsure() bool { return r.predicted.text == cannotTell }

// String describes a result in one line.
func (r Result) String() string {
	return fmt.Sprintf("%s: %s, %s: predicted %s (%s), the boot shows %s (%s)", r.verdict(), r.Cell.Group, r.Cell.Name,
		r.predicted.text, r.predicted.reason, r.seen.text, r.seen.reason)
}

// Console returns the end of what the judging boot printed.
func (r Result) Console() string {
	const most = 3000
	return r.console[max(0, len(r.console)-most):]
}

func (r Result) verdict() string {
	switch {
	case r.Unsure():
		return cannotTell
	case r.Wrong():
		return "WRONG"
	}
	return "right"
}

// judge returns what a boot showed. built is the build that is installed.
func judge(c Cell, m machine, built string, text string) word {
	seen := readConsole(text)
	running, started := seen["running"]
	_, over := seen["over"]
	switch {
	case c.Module == "" && started:
		return word{running, ""}
	case !started || !over:
		return word{doesNot, "the kernel does not start: " + lastWords(text)}
	case running != m.kernel:
		return word{doesNot, running + " starts"}
	}
	_, early := seen["early"]
	loaded, there := seen["build"]
	switch {
	case there && loaded != "" && loaded == built && early:
		return word{loads, "from the initramfs"}
	case there && loaded != "" && loaded == built:
		return word{loads, ""}
	case there && early:
		return word{doesNot, "the initramfs loads another build"}
	case there:
		return word{doesNot, "modprobe loads another file"}
	}
	_, words, _ := strings.Cut(seen["modprobe"], " ")
	if strings.TrimSpace(words) == "" {
		words = "modprobe loads nothing"
	}
	return word{doesNot, strings.TrimSpace(words + " " + firstOf(seen["kernel"]))}
}

// firstOf returns the beginning of what the kernel printed.
func firstOf(words string) string {
	if len(words) > 150 {
		words = words[:150] + "…"
	}
	return words
}

// lastWords returns the last line of a console that has letters, without its control characters.
func lastWords(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == 0x1b })
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(strings.TrimLeft(lines[i], "[0123456789;=h"))
		if len(line) > 8 {
			return firstOf(strings.TrimPrefix(line, "H"))
		}
	}
	return ""
}

// installedBuild returns the build identifier of the file that dkms installed, "" if there is no
// whole one.
func installedBuild(t lab.T, c Cell, m machine) string {
	t.Helper()
	files, err := filepath.Glob(m.Path("usr/lib/modules", m.kernel, "updates", "dkms", c.Module+".ko*"))
	require.NoError(t, err)
	if len(files) != 1 {
		return ""
	}
	reader := "cat"
	if strings.HasSuffix(files[0], ".xz") {
		reader = "xzcat"
	}
	data, err := exec.Command(reader, files[0]).Output()
	require.NoError(t, err)
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return ""
	}
	defer file.Close()
	section := file.Section(".note.gnu.build-id")
	if section == nil {
		return ""
	}
	note, err := section.Data()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x", note)
}

//go:build integration

package systemtest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// testMatrix runs every row in both styles of kernel packages, with our hooks,
// which must come to what it says, and when it is asked for (-stock) with the stock
// hooks beside them.
func testMatrix(t *testing.T, l suite) {
	rows, err := readRows("transitions")
	require.NoError(t, err)
	m := l.newMatrix(t, &matrix{made: "matrix", title: "What becomes of a kernel's modules", dir: l.matrixDir, styles: lab.Styles()})
	stockRoot, oursRoot := l.stock.Fork(t, l.Scratch), l.ours.Fork(t, l.Scratch)
	for _, r := range []lab.Root{stockRoot, oursRoot} {
		r.Must(t, "dpkg -P acpi-call-dkms") // two modules are enough here
	}
	t.Run("of", func(t *testing.T) {
		for i, style := range lab.Styles() {
			t.Run(style, func(t *testing.T) {
				t.Parallel()
				var stock, ours stage
				if l.turns.has(i) {
					ours = l.settledTwo(t, oursRoot, style)
				}
				if l.turns.has(i) && l.withStock {
					stock = l.settledTwo(t, stockRoot, style)
				}
				for _, r := range rows {
					if r.style == "" || r.style == style {
						t.Run(r.name, func(t *testing.T) {
							l.turns.need(t, i)
							m.play(t, style, r, stock, ours)
						})
					}
				}
			})
		}
	})
	m.write(t)
}

// cell is what became of a row with one kind of hooks.
type cell struct {
	end   end
	wrong []string
	out   string
	took  time.Duration
}

// outcome is a row with its cells.
type outcome struct {
	row         row
	style       string
	calls       []string
	stock, ours cell
}

// play plays a row and puts it into the table, whatever comes of it.
func (m *matrix) play(t *testing.T, style string, r row, stock, ours stage) {
	t.Helper()
	o := outcome{row: r, style: style}
	o.stock.wrong, o.ours.wrong = []string{"not played to the end"}, []string{"not played to the end"}
	defer func() { m.add(o) }()
	o = m.suite.compare(t, style, r, stock, ours)
}

// compare plays a row with either kind of hooks. Ours must be right, and compile nothing
// again that should be kept.
func (l suite) compare(t *testing.T, style string, r row, stock, ours stage) outcome {
	t.Helper()
	before := look(t, ours.settled, l.Kver, ours.modules(t)...)
	o := outcome{row: r, style: style, ours: l.play(t, r, ours, explaining)}
	if l.withStock {
		o.stock = l.play(t, r, stock, "")
	}
	o.calls = l.calls(o.ours.out)
	o.ours.wrong = append(o.ours.wrong, r.want.again(before, o.ours.end.kernel)...)
	r.want.check(t, before, o.ours.end, o.ours.out)
	if l.withStock && r.want.modules == gone && len(o.stock.wrong) == 0 {
		assert.Subset(t, o.stock.end.kernel.dirs, o.ours.end.kernel.dirs, "directories that stock would not leave")
	}
	return o
}

// explaining adds a hook before each of ours that prints the verdict which ours is about to
// come to. Ours print none where nothing changes.
const explaining = `for hook in postinst header_postinst prerm postrm; do
	mkdir -p /etc/kernel/$hook.d
	printf '#!/bin/sh\necho "dkms-hooks: %s $1: $(dkms-hooks --quiet explain %s "$1" | head -n 1)" >&2\n' $hook $hook >/etc/kernel/$hook.d/aaa-explain
	chmod 755 /etc/kernel/$hook.d/aaa-explain
done`

// play runs a row in a fork of the stage that it begins with, after a script.
func (l suite) play(t *testing.T, r row, s stage, prepare string) cell {
	t.Helper()
	from := map[string]lab.Root{"": s.settled, fresh: s.fresh, two: s.two}[r.from].Fork(t, l.Scratch)
	if prepare != "" {
		from.Must(t, prepare)
	}
	started := time.Now()
	var c cell
	c.out, c.end.exit = from.Run(t, r.do, l.envOf(s.caller)...)
	c.took = time.Since(started)
	c.end.kernel = look(t, from, l.Kver, s.modules(t)...)
	c.end.kernel.image = lookPackage(t, from, named(s.caller.image[0], l.Kver))
	c.end.other = look(t, from, l.OtherKver(), s.modules(t)...)
	c.wrong = r.want.wrong(c.end)
	return c
}

// calls are the verdicts of our hooks with their reasons, in order, with the
// kernels' releases written K and OTHER.
func (l suite) calls(out string) []string {
	var calls []string
	verdict := regexp.MustCompile(`^dkms-hooks: (\w+) (\S+): (keep|unbuild|autoinstall|defer): (.*)$`)
	for _, line := range strings.Split(out, "\n") {
		if m := verdict.FindStringSubmatch(line); m != nil {
			calls = append(calls, l.shorten(m[1]+" "+m[2]+": **"+m[3]+"**, "+m[4]))
		}
	}
	return calls
}

func (l suite) shorten(text string) string {
	return strings.NewReplacer(l.OtherKver(), "OTHER", l.Kver, "K").Replace(text)
}

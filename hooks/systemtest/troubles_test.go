//go:build integration

package systemtest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// testTroubles installs a kernel where some modules cannot be built, each for a
// reason of its own. None may stop another, or the kernel package.
func testTroubles(t *testing.T, l suite) {
	for i, style := range lab.Styles() {
		t.Run(style, func(t *testing.T) {
			l.turns.need(t, i)
			outStock := "not run"
			stock := l.ofStock(func() string {
				s, _, out, exit, took := l.installWithTroubles(t, l.stock, style)
				outStock = out
				return s.cell(exit, took)
			})
			got, known, out, exit, took := l.installWithTroubles(t, l.ours, style)
			l.table.add(endState{
				where:      l.Name + " " + style,
				transition: "kernel installed while one module does not compile, one is not meant for it, one's source is gone, one has no dkms.conf",
				stock:      stock,
				ours:       got.cell(exit, took),
			})
			defer func() {
				if t.Failed() {
					t.Logf("stock:\n%s\nours:\n%s", outStock, out)
				}
			}()
			ending{image: "install ok installed", modules: present}.holds(t, got, out)
			for module, result := range map[string]string{"bad/1.0": "failed", "other/1.0": "skipped", "dangling/1.0": "failed", "noconf/1.0": "failed"} {
				assert.Len(t, linesNaming(out, module), 1, "%s is named once", module)
				assert.Equal(t, result, known.module(t, module).Last.Result, module)
			}
			assert.Contains(t, out, "does not compile, as asked for", "what the compiler says")
			assert.Contains(t, out, "dkms-hooks log "+l.Kver+" bad\n")
		})
	}
}

// linesNaming are the lines by which the hooks tell of a module's trouble.
func linesNaming(out, module string) []string {
	var lines []string
	pattern := regexp.MustCompile(`^dkms-hooks: (failed|skipped): ` + regexp.QuoteMeta(module) + `\b`)
	for _, line := range strings.Split(out, "\n") {
		if pattern.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (l suite) installWithTroubles(t *testing.T, from lab.Root, style string) (state, kernelOverview, string, int, time.Duration) {
	t.Helper()
	r := from.Fork(t, l.Scratch)
	l.WithKernels(t, r, style)
	l.Make(t, "mkmodule", r.Dir, "bad", "1.0", "--broken")
	l.Make(t, "mkmodule", r.Dir, "other", "1.0", "--exclusive")
	l.Make(t, "mkmodule", r.Dir, "dangling", "1.0", "--dangling")
	l.Make(t, "mkmodule", r.Dir, "noconf", "1.0", "--no-conf")
	started := time.Now()
	out, exit := r.Run(t, "dpkg --unpack $headers1 $image1 && dpkg --configure -a", l.Env()...)
	took := time.Since(started)
	for _, module := range []string{"bad", "other", "dangling", "noconf"} {
		_, gone := r.Run(t, "test -L /var/lib/dkms/"+module+"/1.0/source")
		assert.Zero(t, gone, "%s is no longer registered", module)
	}
	var known kernelOverview
	if _, ours := r.Run(t, "command -v dkms-hooks"); ours == 0 {
		known = statusOf(t, r).on(t, l.Kver)
	}
	return look(t, r, l.Kver, goodModules()...), known, out, exit, took
}

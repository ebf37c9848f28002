//go:build integration

package systemtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// place is a module on a kernel.
type place struct{ module, kver string }

// walker is a root that a walk goes through, with what its owner did there.
type walker struct {
	suite suite
	root  lab.Root
	// has are the modules that modprobe would find, each of its kernel, by the
	// checksum of the file.
	has map[place]string
	// kernels are those that are there.
	kernels map[string]bool
	// off are those that the owner took off a kernel, mine the files that he changed
	// by their checksums.
	off  map[place]bool
	mine map[place]string
	// etc is the checksum of a file below /etc that he edits, after his last deed, and
	// edited says that it is still the same.
	etc    string
	edited bool
	// before is what has was before the last step.
	before map[place]string
}

// sureModules are those that every kernel has, unless its owner took them off.
func sureModules() []string { return []string{"alpha", "beta"} }

// walkModules are those that are compared: one of two versions beside them, one that only
// its owner installs, and one whose build needs a tool.
func walkModules() []string { return append(sureModules(), "old", "extra", "needs") }

// walker makes a root to walk through.
func (l suite) walker(t *testing.T, from lab.Root, style string) *walker {
	t.Helper()
	w := &walker{suite: l, root: from.Fork(t, l.Scratch), off: map[place]bool{}, mine: map[place]string{}}
	l.WithKernels(t, w.root, style)
	l.Make(t, "mkmodule", w.root.Dir, "old", "0.9")
	l.Make(t, "mkmodule", w.root.Dir, "old", "1.0")
	l.Make(t, "mkmodule", w.root.Dir, "extra", "1.0", "--exclusive")
	l.Make(t, "mkmodule", w.root.Dir, "needs", "1.0", "--pre-build", "/usr/bin/labtool || exit 1")
	w.root.Must(t, lab.Prelude+stockwisePrelude()+`dpkg -P acpi-call-dkms && sed -i '/AUTOINSTALL/d; /EXCLUSIVE/d' /usr/src/extra-1.0/dkms.conf && shipping labtool /usr/bin/labtool && dpkg -i /srv/labtool.deb`)
	w.etc = w.look(t)
	return w
}

// take takes a step and looks.
func (w *walker) take(t *testing.T, s walkStep) string {
	t.Helper()
	out, _ := w.root.Run(t, lab.Prelude+stockwisePrelude()+s.do+"\nmended", w.suite.Env()...)
	w.before = w.has
	etc := w.look(t)
	if !s.deed {
		w.edited = etc == w.etc
		return out
	}
	w.etc, w.edited = etc, true
	for p, sum := range w.before {
		switch now := w.has[p]; {
		case now == "":
			w.off[p] = true
			delete(w.mine, p)
		case now != sum:
			w.mine[p] = now
		}
	}
	for p := range w.has {
		delete(w.off, p)
	}
	return out
}

// look finds out what is there, and returns the checksum of the file below /etc.
func (w *walker) look(t *testing.T) string {
	t.Helper()
	out := w.root.Must(t, `for k in $K $OTHER; do
	[ ! -d /lib/modules/$k/kernel ] || echo "$k"
	for m in $M; do
		f=$(modinfo -k $k -n $m 2>/dev/null) || continue
		case $f in /*/updates/*) ;; *) continue ;; esac
		[ "$(modinfo -F vermagic $f 2>/dev/null | cut -d ' ' -f 1)" != $k ] || echo "$m $k $(sha256sum <$f)"
	done
done; sha256sum /etc/dkms/framework.conf`, append(w.suite.Env(), "M="+strings.Join(walkModules(), " "))...)
	w.has, w.kernels = map[place]string{}, map[string]bool{}
	etc := ""
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		switch words := strings.Fields(line); len(words) {
		case 1:
			w.kernels[words[0]] = true
		case 2:
			etc = words[0]
		default:
			require.Len(t, words, 4, out)
			w.has[place{words[0], words[1]}] = words[2]
		}
	}
	return etc
}

// worse is what stock has right after a step and ours has not. What the same deed came
// to differently, since the roots differed before, is no fault of a hook.
func (w *walk) worse(s walkStep) []string {
	var worse []string
	if w.stock.edited && !w.ours.edited {
		worse = append(worse, "/etc/dkms/framework.conf is not as its owner left it")
	}
	for _, kver := range w.suite.kvers() {
		for _, module := range walkModules() {
			p := place{module, kver}
			w.tally(w.stock.has[p] != "", w.ours.has[p] != "")
			if s.deed || s.oursAlone || !w.stock.kernels[kver] || !w.ours.kernels[kver] { // no module is right on a kernel that is gone
				continue
			}
			switch stock, ours := w.stock.has[p], w.ours.has[p]; {
			case stock != "" && ours == "" && (w.stock.before[p] == "" || w.ours.before[p] != ""):
				worse = append(worse, fmt.Sprintf("%s: stock has %s, ours has not", kver, module))
			case w.ours.off[p] && ours != "" && stock == "" && !slices.Contains(s.kvers, kver):
				worse = append(worse, fmt.Sprintf("%s: %s, which its owner took off, is back", kver, module))
			case w.ours.mine[p] != "" && ours != w.ours.mine[p] && w.stock.mine[p] != "" && stock == w.stock.mine[p]:
				worse = append(worse, fmt.Sprintf("%s: the owner's file of %s is not as it was", kver, module))
			}
			w.stock.settle(p)
			w.ours.settle(p)
		}
	}
	return worse
}

// settle forgets what the owner did where it is no more.
func (w *walker) settle(p place) {
	if w.has[p] != "" {
		delete(w.off, p)
	}
	if w.mine[p] != w.has[p] {
		delete(w.mine, p)
	}
}

func (w *walk) tally(stock, ours bool) {
	r := &w.right
	r.all++
	for _, is := range []struct {
		so    bool
		count *int
	}{{stock, &r.stock}, {ours, &r.ours}, {stock && ours, &r.both}, {!stock && !ours, &r.neither}} {
		if is.so {
			*is.count++
		}
	}
}

package main

import (
	"fmt"
	"strings"
)

// row is one line of the benchmark: a work that stock and ours do in turn, from
// the same state.
type row struct {
	work string
	n, k int
	// built reports whether the modules are installed already; fresh that they have to be
	// before each run, since the work changes them.
	built, fresh bool
	// forget takes away what ours knows of the modules before each run; learn is what
	// ours does beforehand otherwise, "" for the work itself.
	forget      bool
	learn       string
	stock, ours measured
	// rounds is how often stock runs, times how often ours does in each round.
	rounds, times int
	// slow names the suites in which stock takes too long for this row.
	slow []string
}

// hookCall is a hook as a maintainer script calls it.
func hookCall(hook, kernel, params string) measured {
	return measured{
		args: []string{"/etc/kernel/" + hook + ".d/dkms", kernel, "/boot/vmlinuz-" + kernel},
		env: []string{"DEB_MAINT_PARAMS=" + params, "DPKG_MAINTSCRIPT_NAME=" + strings.TrimPrefix(hook, "header_"),
			"DPKG_MAINTSCRIPT_PACKAGE=linux-image-" + kernel, "DPKG_MAINTSCRIPT_ARCH=amd64"},
	}
}

func command(args ...string) measured { return measured{args: args} }

const buildWork = "build and install"

// tableRows are the works of the table, in its order.
func (l *roots) tableRows() []row {
	const few, often = 3, 5
	var rows []row
	for _, n := range []int{1, 5, 20, 50} {
		// one round of stock takes minutes with many
		rounds := often
		if n >= 20 {
			rounds = few
		}
		for _, k := range []int{1, most} {
			keep, remove, configure := hookCall("prerm", l.Kver, "upgrade 2"), hookCall("prerm", l.Kver, "remove"), hookCall("postinst", l.Kver, "configure 1")
			if k == 1 || n == 50 {
				rows = append(rows,
					row{work: "prerm, upgrade: keep", n: n, k: k, built: true, stock: keep, ours: keep, fresh: true, rounds: rounds, times: 3},
					row{work: "prerm, real removal", n: n, k: k, built: true, stock: remove, ours: remove, fresh: true, rounds: rounds, times: 1})
			}
			rows = append(rows, row{work: "postinst, nothing to do", n: n, k: k, built: true, stock: configure, ours: configure, rounds: rounds, times: 5})
		}
	}
	for _, n := range []int{5, 50} {
		var loop strings.Builder
		for _, kernel := range l.kernels(most) {
			fmt.Fprintf(&loop, "/etc/kernel/postinst.d/dkms %s /boot/vmlinuz-%s || exit 1\n", kernel, kernel)
		}
		rows = append(rows, row{work: "reconcile, nothing to do", n: n, k: most, built: true,
			stock: command("sh", "-c", loop.String()), ours: command("dkms-hooks", "reconcile"), rounds: few, times: 5})
	}
	for _, n := range []int{5, 50} {
		rows = append(rows, row{work: "status", learn: "reconcile", n: n, k: most, built: true,
			stock: command("dkms", "status"), ours: command("dkms-hooks", "status"), rounds: few, times: 5})
	}
	configure := hookCall("postinst", l.Kver, "configure 1")
	return append(rows,
		row{work: "status", learn: "reconcile", n: 200, k: most, built: true, stock: command("dkms", "status"), ours: command("dkms-hooks", "status"), rounds: 3, times: 5, slow: []string{"bookworm"}},
		row{work: buildWork, n: 8, k: 1, stock: configure, ours: configure, fresh: true, rounds: 3, times: 1},
		row{work: "postinst, the first look", n: 50, k: 1, built: true, forget: true, ours: configure, rounds: often, times: 1},
		row{work: "postinst, nothing to do", n: 500, k: 1, built: true, ours: configure, rounds: often, times: 1},
		row{work: "prerm, real removal", n: 500, k: 1, built: true, fresh: true, ours: hookCall("prerm", l.Kver, "remove"), rounds: often, times: 1},
		row{work: "status", learn: "reconcile", n: 500, k: most, built: true, ours: command("dkms-hooks", "status"), rounds: often, times: 1},
	)
}

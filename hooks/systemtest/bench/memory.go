package main

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// giants fills a small root with $N modules of $MB megabytes each, installed on $K, as dkms
// leaves them: one that dkms built, with a section of zeros, which takes no room on the
// disk. $SUFFIX is that of a compressed module, or nothing; the kernel's own modules are
// made to have it too, since dkms does as they do.
const giants = `
cd "/lib/modules/$K/kernel"
if [ -z "$SUFFIX" ]; then
	find . -name '*.ko.xz' -exec xz -d {} +
else
	find . -name '*.ko' -exec xz -0 {} +
fi
cd /srv && truncate -s "${MB}M" zeros && objcopy --add-section .giant=zeros plain.ko giant && cp --sparse=always giant giant.ko && rm zeros giant
[ -z "$SUFFIX" ] || xz -0 giant.ko
for m in $(seq -f m%03g "$N"); do
	mkdir -p "/usr/src/$m-1.0" "/var/lib/dkms/$m/1.0/$K/x86_64/module" "/var/lib/dkms/$m/1.0/$K/x86_64/log" "/lib/modules/$K/updates/dkms"
	cp --sparse=always "giant.ko$SUFFIX" "/var/lib/dkms/$m/1.0/$K/x86_64/module/$m.ko$SUFFIX"
	cp --sparse=always "giant.ko$SUFFIX" "/lib/modules/$K/updates/dkms/$m.ko$SUFFIX"
	echo log >"/var/lib/dkms/$m/1.0/$K/x86_64/log/make.log"
	ln -s "/usr/src/$m-1.0" "/var/lib/dkms/$m/1.0/source"
	ln -s "1.0/$K/x86_64" "/var/lib/dkms/$m/kernel-$K-x86_64"
	printf '%s\n' "PACKAGE_NAME=$m" PACKAGE_VERSION=1.0 "BUILT_MODULE_NAME[0]=$m" 'DEST_MODULE_LOCATION[0]=/updates/dkms' 'MAKE[0]=make' CLEAN=true AUTOINSTALL=yes >"/usr/src/$m-1.0/dkms.conf"
	echo all: >"/usr/src/$m-1.0/Makefile"
done
rm "giant.ko$SUFFIX"
depmod -a "$K"
`

// memoryRows are works over a few modules that are huge; of what they cost the memory
// is looked at.
func (l *roots) memoryRows(t lab.T) []result {
	t.Helper()
	const modules = 4
	configure, keep := hookCall("postinst", l.Kver, "configure 1"), hookCall("prerm", l.Kver, "upgrade 2")
	var results []result
	var s smallRoots
	for _, form := range []struct{ name, suffix string }{{"plain", ""}, {"xz", ".xz"}} {
		of := ", modules of 300 MB, " + form.name
		var stock, ours lab.Root
		for _, row := range []row{
			{work: "status" + of, stock: command("dkms", "status"), ours: command("dkms-hooks", "status")},
			{work: "check" + of, ours: command("dkms-hooks", "check")},
			{work: "postinst, nothing to do" + of, stock: configure, ours: configure},
			{work: "prerm, upgrade: keep" + of, stock: keep, ours: keep},
		} {
			row.n, row.k = modules, 1
			if !l.asked(row.work, row.n, row.k) {
				continue
			}
			if s.roots == nil {
				s = l.newSmallRoots(t)
				// objcopy comes with the compiler.
				require.NotEmpty(t, s.stock.Must(t, "command -v objcopy"))
			}
			if stock.Dir == "" {
				stock, ours = s.stock.Fork(t, l.Scratch), s.ours.Fork(t, l.Scratch)
				for _, r := range []lab.Root{stock, ours} {
					r.Must(t, giants, "K="+l.Kver, "N=4", "MB=300", "SUFFIX="+form.suffix)
				}
			}
			res := result{suite: l.Name, row: row}
			for range l.rounds(3) {
				if row.stock.args != nil {
					r := stock.Fork(t, l.Scratch)
					res.stock = append(res.stock, measure(t, r, row.stock))
					r.Drop()
				}
				res.ours = append(res.ours, measure(t, ours, row.ours))
			}
			t.Logf("%s", res.line())
			results = append(results, res)
		}
	}
	return results
}

// memoryTable is what huge modules cost.
func (p part) memoryTable(b *strings.Builder) {
	if len(p.memory) == 0 {
		return
	}
	b.WriteString("\n### Memory\n\nWhat is done with modules that are huge: the memory of the largest process, and the wall time.\n\n" +
		"| work | N | runs | stock | ours |\n|---|---|---|---|---|\n")
	for _, res := range p.memory {
		fmt.Fprintf(b, "| %s | %d | %d, %d | %s | %s |\n", res.row.work, res.row.n, len(res.stock), len(res.ours), memoryText(res.stock), memoryText(res.ours))
	}
}

func memoryText(cs costs) string {
	if len(cs) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f MB / %s", float64(cs.peak())/1024, timeText(cs.wall()))
}

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// buildParts measures the parts of the bound for building, and the nearest to it that
// dkms alone comes.
func (l *roots) buildParts(t lab.T, p *part) {
	t.Helper()
	const modules, rounds = 8, 3
	env := []string{"K=" + l.Kver, "ALL=m001 m002 m003 m004 m005 m006 m007 m008"}
	part := func(row row, script string) cost {
		l.prepare(t, l.stock, row)
		return measure(t, l.stock.Root, measured{env: env, args: []string{"sh", "-c", script}})
	}
	for range rounds {
		p.compile = append(p.compile, part(row{n: modules}, `for m in $ALL; do dkms build $m/1.0 -k $K -j 1 || exit 1; done`))
		p.makes = append(p.makes, part(row{n: modules},
			`for m in $ALL; do cp -r /usr/src/$m-1.0 /tmp/$m; make -C /lib/modules/$K/build M=/tmp/$m modules || exit 1; rm -r /tmp/$m; done`))
		p.beside = append(p.beside, part(row{n: modules}, `echo $ALL | xargs -n 1 -P $(nproc) sh -c 'dkms build $0/1.0 -k $K -j 1'`))
		p.depmod = append(p.depmod, part(row{n: modules, k: 1, built: true}, `exec depmod -a -F /boot/System.map-$K $K`))
	}
}

// compareEnds holds the state that ours leaves against that of stock, byte for byte:
// the DKMS tree, what is installed, and what depmod wrote.
func (l *roots) compareEnds(t lab.T, p *part) {
	t.Helper()
	const modules = 8
	ends := map[string]map[string]string{}
	for name, r := range map[string]diskRoot{"stock": l.stock, "ours": l.ours} {
		l.prepare(t, r, row{n: modules})
		measure(t, r.Root, hookCall("postinst", l.Kver, "configure 1"))
		end := map[string]string{}
		read(t, r.dkms, end)
		read(t, filepath.Join(r.modules, l.Kver, "updates"), end)
		lists, err := filepath.Glob(filepath.Join(r.modules, l.Kver, "modules.*"))
		require.NoError(t, err)
		for _, list := range lists {
			read(t, list, end)
		}
		ends[name] = end
	}
	p.compared = len(ends["stock"])
	require.Equal(t, ends["stock"], ends["ours"], "%s: the end states", l.Name)
}

// read reads what is at a path and below. Logs are there or not; what they say is the
// time.
func read(t lab.T, top string, into map[string]string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.Base(top) + strings.TrimPrefix(path, top)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			into[name], err = os.Readlink(path)
		case d.IsDir():
			into[name] = "directory"
		case d.Name() == "make.log":
			into[name] = "log"
		default:
			var data []byte
			data, err = os.ReadFile(path)
			into[name] = string(data)
		}
		return err
	}))
}

// buildTable is what compiles.
func (p part) buildTable(b *strings.Builder) {
	builds := append(p.rows(func(res result) bool { return res.row.work == buildWork }), p.large...)
	if len(builds) == 0 && len(p.compile) == 0 {
		return
	}
	b.WriteString("\n### Building real modules\n\nThe postinst hook of a kernel for which no module is built.\n\n" +
		"| work | N | runs | stock | ours | ours / stock |\n|---|---|---|---|---|---|\n")
	for _, res := range builds {
		fmt.Fprintf(b, "| %s | %d | %d, %d | %s | %s | %s |\n", res.row.work, res.row.n, len(res.stock), len(res.ours), costText(res.stock), costText(res.ours),
			share(res.ours.wall(), res.stock.wall()))
	}
	if len(p.compile) > 0 {
		p.bound(b)
	}
}

// bound says how near building came to what it cannot be below.
func (p part) bound(b *strings.Builder) {
	compile, makes, depmod := p.compile.cpu(), p.makes.cpu(), p.depmod.wall()
	bound := compile/float64(p.cores) + depmod
	fmt.Fprintf(b, "\nBuilding cannot be faster than the CPU of compiling ÷ cores + one depmod. `dkms build` of the modules costs %s of CPU "+
		"(`make` alone: %s), depmod takes %s: the bound is %s.", timeText(compile), timeText(makes), timeText(depmod), timeText(bound))
	floor := p.beside.wall() + depmod
	fmt.Fprintf(b, " `xargs -P` with dkms build, which nothing verifies and which installs nothing, and one depmod take %s.", timeText(floor))
	for _, res := range p.results {
		if res.row.work == buildWork {
			fmt.Fprintf(b, " Ours takes %.2f of the bound, and %.2f of that.", res.ours.wall()/bound, res.ours.wall()/floor)
		}
	}
	if p.compared > 0 {
		fmt.Fprintf(b, "\n\nAfter building and installing, the %d files, links and directories of the DKMS tree, of updates/ and of depmod are those "+
			"that stock leaves, byte for byte (logs apart).", p.compared)
	}
	b.WriteString("\n")
}

//go:build integration

package systemtest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// freshRow is a way for a kernel to be built anew under its release. The scripts
// name the packages of the revision that comes by image and headers.
type freshRow struct {
	name string
	// revision is the one that comes: 2 has the ABI of 1, 3 another.
	revision string
	first    string
	// headers and freshness are what status must print after first, "" for anything.
	headers, freshness string
	second             string
}

func freshRows() []freshRow {
	return []freshRow{
		{name: "same ABI, image first", revision: "2", first: "dpkg -i $image", second: "dpkg -i $headers"},
		{name: "same ABI, headers first", revision: "2", first: "dpkg -i $headers", second: "dpkg -i $image"},
		{name: "other ABI, image first", revision: "3", first: "dpkg -i $image", second: "dpkg -i $headers",
			headers: "foreign"},
		{name: "other ABI, headers first", revision: "3", first: "dpkg -i $headers", second: "dpkg -i $image"},
		{name: "other ABI, in one run", revision: "3", first: "dpkg -i $image $headers", second: ":"},
		{name: "other ABI, headers gone meanwhile", revision: "3", first: "dpkg -r linux-headers-$K && dpkg -i $image", second: "dpkg -i $headers",
			headers: "missing", freshness: "stale"},
	}
}

// testFresh lets real kernels be built anew under their release and judges by booting; depmod's own comparison of symbols is the
// second oracle.
func testFresh(t *testing.T, l suite) {
	l.needBoots(t)
	stockRoot, oursRoot := l.witnesses(t, l.stock), l.witnesses(t, l.ours)
	for _, k := range findKernels(t, l.kernels) {
		var stock lab.Root
		if l.withStock {
			stock, _ = l.withKernel(t, stockRoot, k)
		}
		ours, _ := l.withKernel(t, oursRoot, k)
		for _, row := range freshRows() {
			if !k.has(row.revision) {
				continue
			}
			t.Run(k.kver+" "+row.name, func(t *testing.T) {
				verdictStock := l.ofStock(func() string {
					verdict, _ := l.renew(t, stock, k, row)
					return verdict
				})
				verdict, out := l.renew(t, ours, k, row)
				l.table.add(endState{where: l.Name + " " + k.kver + ", booted", transition: row.name, stock: verdictStock, ours: verdict})
				assert.Equal(t, "witness loaded", verdict, out)
				row.check(t, k.kver, out)
			})
		}
	}
}

// check judges what status printed after first, and how often the module was built by then
// and in the end: once before the row.
func (row freshRow) check(t *testing.T, kver, out string) {
	t.Helper()
	_, between, ok := strings.Cut(out, "--- status\n")
	require.True(t, ok, out)
	status, rest, ok := strings.Cut(between, "--- builds ")
	require.True(t, ok, out)
	by, _, _ := strings.Cut(rest, "\n")
	total := out[strings.LastIndex(out, "--- builds ")+len("--- builds "):]
	if row.headers != "" {
		kernel := parseOverview(t, status).on(t, kver)
		assert.Equal(t, row.headers, kernel.Headers, out)
		assert.Equal(t, "1", by, "nothing is built without the headers of the image\n%s", out)
		if row.freshness != "" {
			assert.Equal(t, row.freshness, kernel.module(t, "witness/1.0").Freshness, out)
		}
	}
	if row.revision == "2" {
		assert.Equal(t, "1", strings.TrimSpace(total), "a build that fits is kept\n%s", out)
	} else {
		assert.Equal(t, "2", strings.TrimSpace(total), out)
	}
}

// needBoots skips a test where kernels cannot be booted.
func (l suite) needBoots(t *testing.T) {
	t.Helper()
	if l.kernels == "" {
		skipKernels(t, "to boot")
	}
	if !onX86(t) {
		t.Skip("the boots are judged on x86_64 only")
	}
}

// witnesses is a root with no module but one that knows a wrong kernel.
func (l suite) witnesses(t *testing.T, from lab.Root) lab.Root {
	t.Helper()
	r := from.Fork(t, l.Scratch)
	r.Must(t, "dpkg -P acpi-call-dkms && dkms remove beta/1.0 --all && dkms remove alpha/1.0 --all")
	l.Make(t, "mkmodule", r.Dir, "witness", "1.0", "--witness", "--count")
	return r
}

// renew installs the row's revision over the first, and gives the boot's verdict with all that
// was said.
func (l suite) renew(t *testing.T, from lab.Root, k realKernel, row freshRow) (verdict, output string) {
	t.Helper()
	r := from.Fork(t, l.Scratch)
	env := append(k.env(), "image="+k.in("image", row.revision), "headers="+k.in("headers", row.revision))
	const builds = "echo \"--- builds $(wc -l </var/tmp/witness.builds)\""
	status := "echo '--- status'; if command -v dkms-hooks >/dev/null; then dkms-hooks status --json; fi; " + builds
	output = r.Must(t, row.first+" && { "+status+"; } && "+row.second+" && "+builds, env...)
	verdict = l.Make(t, "bootjudge", r.Dir, k.kver, "witness")
	symbols, _ := r.Run(t, `depmod -n -e -E /lib/modules/$K/build/Module.symvers $K 2>&1 >/dev/null | grep updates/dkms`, env...)
	if symbols != "" {
		verdict += "; depmod: " + strings.TrimSpace(symbols)
	}
	return verdict, output
}

// copyKernel copies all packages of a kernel into a root, and gives their names.
func (l suite) copyKernel(t *testing.T, r lab.Root, k realKernel) []string {
	t.Helper()
	for _, revision := range k.revisions {
		for _, part := range []string{"image", "headers"} {
			name := filepath.Base(k.in(part, revision))
			r.CopyIn(t, filepath.Join(l.kernels, name), name)
		}
	}
	return k.env()
}

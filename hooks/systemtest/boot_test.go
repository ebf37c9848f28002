//go:build integration

package systemtest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// realKernel is a kernel that make bindeb-pkg made, with the revisions of its
// packages that end in -1 and -2; these have the same configuration.
type realKernel struct {
	kver string
	// first and second are their version strings, second "" without one.
	first, second string
}

// findKernels finds the kernels in a directory of packages.
func findKernels(t *testing.T, dir string) []realKernel {
	t.Helper()
	images, err := filepath.Glob(filepath.Join(dir, "linux-image-*-1_amd64.deb"))
	require.NoError(t, err)
	var kernels []realKernel
	for _, image := range images {
		kver, version, ok := strings.Cut(strings.TrimPrefix(filepath.Base(image), "linux-image-"), "_")
		require.True(t, ok, image)
		k := realKernel{kver: kver, first: strings.TrimSuffix(version, "_amd64.deb")}
		second := strings.TrimSuffix(k.first, "-1") + "-2"
		if same, _ := filepath.Glob(filepath.Join(dir, "linux-image-"+kver+"_"+second+"_amd64.deb")); len(same) == 1 {
			k.second = second
		}
		kernels = append(kernels, k)
	}
	return kernels
}

// bootRow is a transition of a real kernel. The script names packages by
// image1, headers1, image2 and headers2.
type bootRow struct {
	name, do string
	// second says that it needs the second revision.
	second bool
}

func bootRows() []bootRow {
	install := "dpkg -i $headers1 && dpkg -i $image1"
	return []bootRow{
		{name: "installed", do: install},
		{name: "reinstalled", do: install + " && dpkg -i $image1"},
		{name: "upgraded to a new revision", second: true, do: install + " && dpkg -i $headers2 $image2"},
		{name: "reinstalled without headers", do: install + " && dpkg -r linux-headers-$K && dpkg -i $image1"},
		{name: "removed, installed again", do: install + " && dpkg -r linux-image-$K && dpkg -i $image1"},
		{name: "removal aborted", do: install + ` && printf '#!/bin/sh\nexit 1\n' >/etc/kernel/prerm.d/zz-fail &&
chmod 755 /etc/kernel/prerm.d/zz-fail && ! dpkg -r linux-image-$K`},
	}
}

// testBoot judges by booting: after each transition the real kernel boots in
// qemu and modprobe loads the module there, or not.
func testBoot(t *testing.T, l lab, table *outcomes) {
	if l.kernels == "" {
		t.Skip("there are no real kernels to boot: make kernels makes some, or DKMS_HOOKS_KERNELS names a directory of them")
	}
	if arch, err := exec.Command("uname", "-m").Output(); err != nil || strings.TrimSpace(string(arch)) != "x86_64" {
		t.Skip("the boots are judged on x86_64 only")
	}
	// acpi-call is for kernels with ACPI, which these need not have.
	stockRoot, oursRoot := l.stock.fork(t, l.scratch), l.ours.fork(t, l.scratch)
	stockRoot.must(t, "dpkg -P acpi-call-dkms")
	oursRoot.must(t, "dpkg -P acpi-call-dkms")
	for _, k := range findKernels(t, l.kernels) {
		for _, row := range bootRows() {
			if row.second && k.second == "" {
				continue
			}
			t.Run(k.kver+" "+row.name, func(t *testing.T) {
				stock, _ := l.boot(t, stockRoot, k, row)
				ours, out := l.boot(t, oursRoot, k, row)
				table.add(endState{
					where:      l.suite + " " + k.kver + ", booted",
					transition: row.name,
					stock:      stock,
					ours:       ours,
				})
				assert.Equal(t, "beta loaded", ours, out)
			})
		}
	}
}

// boot does a transition in a fork of a root and gives the verdict of a boot.
func (l lab) boot(t *testing.T, from root, k realKernel, row bootRow) (verdict, output string) {
	t.Helper()
	r := from.fork(t, l.scratch)
	env := []string{"K=" + k.kver}
	for i, version := range []string{k.first, k.second} {
		for _, part := range []string{"image", "headers"} {
			if version == "" {
				continue
			}
			name := "linux-" + part + "-" + k.kver + "_" + version + "_amd64.deb"
			l.copyIn(t, r, filepath.Join(l.kernels, name), name)
			env = append(env, part+string(rune('1'+i))+"=/srv/"+name)
		}
	}
	output = r.must(t, row.do, env...)
	return l.make(t, "bootjudge", r.dir, k.kver, "beta"), output
}

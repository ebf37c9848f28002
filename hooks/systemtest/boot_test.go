//go:build integration

package systemtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// realKernel is a kernel that make bindeb-pkg made: 2 has the configuration of 1, 3
// another one.
type realKernel struct {
	kver, upstream string
	revisions      []string
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
		k := realKernel{kver: kver, upstream: strings.TrimSuffix(version, "-1_amd64.deb")}
		for _, revision := range []string{"1", "2", "3"} {
			if _, err := os.Stat(filepath.Join(dir, filepath.Base(k.in("image", revision)))); err == nil {
				k.revisions = append(k.revisions, revision)
			}
		}
		kernels = append(kernels, k)
	}
	return kernels
}

// in is where a root has a package of the kernel.
func (k realKernel) in(part, revision string) string {
	return "/srv/linux-" + part + "-" + k.kver + "_" + k.upstream + "-" + revision + "_amd64.deb"
}

// env are the variables by which scripts name the kernel and its packages in a root.
func (k realKernel) env() []string {
	env := []string{"K=" + k.kver}
	for _, revision := range k.revisions {
		for _, part := range []string{"image", "headers"} {
			env = append(env, part+revision+"="+k.in(part, revision))
		}
	}
	return env
}

func (k realKernel) has(revision string) bool { return slices.Contains(k.revisions, revision) }

func onX86(t *testing.T) bool {
	t.Helper()
	arch, err := exec.Command("uname", "-m").Output()
	return err == nil && strings.TrimSpace(string(arch)) == "x86_64"
}

// bootRow is a transition of a real kernel that is installed with its headers. The script
// names packages by image1, headers1, image2 and headers2.
type bootRow struct {
	name, do string
	// second reports whether it needs the second revision.
	second bool
}

func bootRows() []bootRow {
	return []bootRow{
		{name: "installed", do: ":"},
		{name: "reinstalled", do: "dpkg -i $image1"},
		{name: "upgraded to a new revision", second: true, do: "dpkg -i $headers2 $image2"},
		{name: "reinstalled without headers", do: "dpkg -r linux-headers-$K && dpkg -i $image1"},
		{name: "removed, installed again", do: "dpkg -r linux-image-$K && dpkg -i $image1"},
		{name: "removal aborted", do: `printf '#!/bin/sh\nexit 1\n' >/etc/kernel/prerm.d/zz-fail &&
chmod 755 /etc/kernel/prerm.d/zz-fail && ! dpkg -r linux-image-$K`},
	}
}

// testBoot judges by booting: after each transition the real kernel boots in
// qemu and modprobe loads the module there, or not.
func testBoot(t *testing.T, l suite) {
	l.needBoots(t)
	// acpi-call is for kernels with ACPI, which these need not have.
	stockRoot, oursRoot := l.stock.Fork(t, l.Scratch), l.ours.Fork(t, l.Scratch)
	stockRoot.Must(t, "dpkg -P acpi-call-dkms")
	oursRoot.Must(t, "dpkg -P acpi-call-dkms")
	for _, k := range findKernels(t, l.kernels) {
		var stockWith lab.Root
		if l.withStock {
			stockWith, _ = l.withKernel(t, stockRoot, k)
		}
		oursWith, installed := l.withKernel(t, oursRoot, k)
		for _, row := range bootRows() {
			if row.second && !k.has("2") {
				continue
			}
			t.Run(k.kver+" "+row.name, func(t *testing.T) {
				stock := l.ofStock(func() string {
					verdict, _ := l.boot(t, stockWith, k, row)
					return verdict
				})
				ours, out := l.boot(t, oursWith, k, row)
				l.table.add(endState{
					where:      l.Name + " " + k.kver + ", booted",
					transition: row.name,
					stock:      stock,
					ours:       ours,
				})
				assert.Equal(t, "beta loaded", ours, "%s\n%s", installed, out)
			})
		}
	}
}

// withKernel is a fork of a root with a kernel and its headers, and what was said of them.
func (l suite) withKernel(t *testing.T, from lab.Root, k realKernel) (lab.Root, string) {
	t.Helper()
	r := from.Fork(t, l.Scratch)
	return r, r.Must(t, "dpkg -i $headers1 && dpkg -i $image1", l.copyKernel(t, r, k)...)
}

// boot does a transition in a fork of a root and gives the verdict of a boot.
func (l suite) boot(t *testing.T, from lab.Root, k realKernel, row bootRow) (verdict, output string) {
	t.Helper()
	r := from.Fork(t, l.Scratch)
	output = r.Must(t, row.do, k.env()...)
	return l.Make(t, "bootjudge", r.Dir, k.kver, "beta"), output
}

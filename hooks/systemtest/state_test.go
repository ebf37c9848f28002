//go:build integration

package systemtest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// state is what a root has of a kernel and its modules, found by looking.
type state struct {
	// image is dpkg's state of the image package.
	image   string
	modules map[string]moduleState
	// dirs are the directories of the kernel below /lib/modules and in the tree
	// of dkms; updates are the files and directories below updates.
	dirs, updates []string
}

// moduleState is one module for one kernel.
type moduleState struct {
	registered, built, installed, found bool
	// builtAt is when the built file was written.
	builtAt time.Time
}

// look reads the state of some modules, each with the name of its .ko.
func look(t *testing.T, r lab.Root, kver string, modules ...string) state {
	t.Helper()
	s := state{modules: map[string]moduleState{}}
	s.image = lookPackage(t, r, "linux-image-"+kver)
	// One call for all: what modinfo finds is what modprobe would.
	found := r.Must(t, `for m in `+strings.Join(modules, " ")+`; do modinfo -k "$K" -n $m 2>/dev/null || echo none; done`, "K="+kver)
	lines := strings.Split(strings.TrimSpace(found), "\n")
	require.Len(t, lines, len(modules), found)
	for i, name := range modules {
		s.modules[name] = lookModule(t, r, kver, name, lines[i])
	}
	for _, top := range []string{"usr/lib/modules/" + kver, "lib/modules/" + kver} {
		if resolved, err := filepath.EvalSymlinks(r.Path(filepath.Dir(top))); err == nil {
			s.addTree(filepath.Join(resolved, kver))
			break
		}
	}
	builds, err := filepath.Glob(r.Path("var/lib/dkms/*/*/" + kver))
	require.NoError(t, err)
	links, err := filepath.Glob(r.Path("var/lib/dkms/*/kernel-" + kver + "-*"))
	require.NoError(t, err)
	links = slices.DeleteFunc(links, func(path string) bool { // those of a kernel whose release is longer
		_, arch, _ := strings.Cut(filepath.Base(path), kver+"-")
		return strings.Contains(arch, "-")
	})
	for _, path := range append(builds, links...) {
		s.dirs = append(s.dirs, strings.TrimPrefix(path, r.Dir))
	}
	return s
}

// lookPackage reads dpkg's status of a package, "" for one that it does not know.
func lookPackage(t *testing.T, r lab.Root, name string) string {
	t.Helper()
	out, _ := r.Run(t, `dpkg-query -W -f '${Status}' "$NAME" 2>/dev/null`, "NAME="+name)
	if out = strings.TrimSpace(out); status(out) == "not-installed" { // how dpkg remembers some of those it forgot
		return ""
	}
	return out
}

func lookModule(t *testing.T, r lab.Root, kver, name, found string) moduleState {
	t.Helper()
	// The package of acpi-call calls its module acpi-call, the file acpi_call.
	dir := strings.ReplaceAll(name, "_", "?")
	glob := func(pattern string) []string {
		paths, err := filepath.Glob(r.Path(pattern))
		require.NoError(t, err)
		return paths
	}
	var m moduleState
	// A registration may dangle: its link is what counts.
	m.registered = len(glob("var/lib/dkms/"+dir+"/*/source")) == 1
	for _, path := range glob("var/lib/dkms/" + dir + "/*/" + kver + "/*/module/" + name + ".ko*") {
		info, err := os.Stat(path)
		require.NoError(t, err)
		m.built, m.builtAt = true, info.ModTime()
	}
	m.installed = len(glob("lib/modules/"+kver+"/updates/dkms/"+name+".ko*")) == 1
	// modinfo names what modules.dep names, there or not.
	if strings.Contains(found, "/updates/dkms/"+name+".ko") {
		_, err := os.Stat(r.Path(found))
		m.found = err == nil
	}
	return m
}

func (s *state) addTree(top string) {
	filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		rel, _ := filepath.Rel(filepath.Dir(top), path)
		if d.IsDir() {
			s.dirs = append(s.dirs, "/lib/modules/"+rel)
		}
		if strings.Contains("/"+rel, "/updates") {
			s.updates = append(s.updates, "/lib/modules/"+rel)
		}
		return nil
	})
}

// count says how many modules have a property.
func (s state) count(has func(moduleState) bool) int {
	n := 0
	for _, m := range s.modules {
		if has(m) {
			n++
		}
	}
	return n
}

// names are those of the modules, sorted.
func (s state) names() []string { return slices.Sorted(maps.Keys(s.modules)) }

// String is a state as the table shows it.
func (s state) String() string {
	return fmt.Sprintf("%s; registered %d, built %d, installed %d, found %d of %d", status(s.image),
		s.count(func(m moduleState) bool { return m.registered }),
		s.count(func(m moduleState) bool { return m.built }),
		s.count(func(m moduleState) bool { return m.installed }),
		s.count(func(m moduleState) bool { return m.found }), len(s.modules))
}

// cell is a state as the table shows it, with how dpkg ended and what it took.
func (s state) cell(exit int, took time.Duration) string {
	cell := s.String()
	if exit != 0 {
		cell += fmt.Sprintf("; exit %d", exit)
	}
	return fmt.Sprintf("%s (%.1f s)", cell, took.Seconds())
}

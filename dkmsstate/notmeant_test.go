package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod"
)

// A module that was skipped is not meant for the kernel as long as the reason lasts, and no longer.
func TestNotMeant(t *testing.T) {
	const inKernel = "the kernel contains this module in the same version or a newer one"
	m, other := Module{"m", "1"}, Module{"other", "1"}
	type world struct {
		root string
		s    Snapshot
	}
	installed := func(w *world) { // another module, which contains the same file
		w.s.Builds = []Build{{Module: m, Arch: "x86_64", Files: []File{{Name: "x.ko"}}},
			{Module: other, Arch: "x86_64", Files: []File{{Name: "x.ko.xz", Installed: "x.ko.xz", Copy: kmod.CopySame}}}}
		w.s.Links = []Link{{Name: "other", Version: "1", Arch: "x86_64"}}
	}
	write := func(w *world, name, text string) {
		path := filepath.Join(w.root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	remove := func(w *world, name string) { require.NoError(t, os.RemoveAll(filepath.Join(w.root, name))) }
	const headers, source, file = "lib/modules/6.1/build", "var/lib/dkms/m/1/source/m.c", "lib/modules/6.1/updates/x.ko"
	rows := map[string]struct {
		last   Last
		before func(w *world)
		change func(w *world)
		want   string
	}{
		"nothing is known":          {Last{}, nil, nil, ""},
		"its dkms.conf":             {Last{}, nil, func(w *world) { w.s.Registrations[0].Conf.Excluded = true }, ExcludedText},
		"excluded":                  {Last{Cause: CauseExcluded, Text: "x"}, nil, nil, "x"},
		"excluded, other headers":   {Last{Cause: CauseExcluded, Text: "x"}, nil, func(w *world) { write(w, headers+"/Makefile", "") }, ""},
		"excluded, no headers":      {Last{Cause: CauseExcluded, Text: "x"}, nil, func(w *world) { remove(w, headers); w.s.Headers = false }, "x"},
		"excluded, another source":  {Last{Cause: CauseExcluded, Text: "x"}, nil, func(w *world) { write(w, source, "") }, ""},
		"in the kernel":             {Last{Cause: CauseInKernel, Text: inKernel}, nil, nil, inKernel},
		"in the kernel, removed":    {Last{Cause: CauseInKernel, Text: inKernel}, nil, func(w *world) { remove(w, file) }, ""},
		"in the kernel, another":    {Last{Cause: CauseInKernel, Text: inKernel}, nil, func(w *world) { write(w, file, "another") }, ""},
		"in the kernel, source":     {Last{Cause: CauseInKernel, Text: inKernel}, nil, func(w *world) { write(w, source, "") }, ""},
		"taken":                     {Last{Cause: CauseTaken, Text: "x"}, installed, nil, "other/1 is installed and also contains x.ko.xz"},
		"taken, and nobody knew":    {Last{}, nil, installed, "other/1 is installed and also contains x.ko.xz"},
		"taken, not any longer":     {Last{Cause: CauseTaken, Text: "x"}, installed, func(w *world) { w.s.Links = nil }, ""},
		"taken, and it is there":    {Last{Cause: CauseTaken, Text: "x"}, installed, func(w *world) { w.s.Links = []Link{{Name: "m", Version: "1", Arch: "x86_64"}} }, ""},
		"no cause, excluded":        {Last{Text: ExcludedText}, nil, nil, ExcludedText},
		"no cause, excluded, moved": {Last{Text: ExcludedText}, nil, func(w *world) { write(w, source, "") }, ""},
		"no cause, taken":           {Last{Text: "other/1 is installed and also contains x.ko"}, installed, func(w *world) { w.s.Links = nil }, ""},
		"no cause, in the kernel":   {Last{Text: inKernel}, nil, nil, ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			w := world{root: t.TempDir()}
			layout, _ := ReadLayout(w.root)
			write(&w, headers+"/include/x", "")
			write(&w, filepath.Dir(source)+"/dkms.conf", "")
			write(&w, file, "")
			write(&w, "lib/modules/6.1/modules.dep", "updates/x.ko:\n")
			w.s = Snapshot{Layout: layout, Kernel: "6.1", Arch: "x86_64", Headers: true, Dep: NewModulesDep(layout.KernelDir("6.1")),
				Registrations: []Registration{{Module: m, Source: "/usr/src/m-1", Conf: Conf{Names: []string{"x"}}}}}
			if row.before != nil {
				row.before(&w)
			}
			if row.last != (Last{}) {
				row.last.Result, row.last.Inputs, row.last.Rivals = LastSkipped, w.s.Inputs(m.String()), w.s.Rivals(m)
			}
			if row.change != nil {
				row.change(&w)
			}
			assert.Equal(t, row.want, w.s.NotMeant(m, KernelRecord{Last: map[string]Last{m.String(): row.last}}))
		})
	}
}

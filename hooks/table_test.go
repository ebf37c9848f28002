package hooks

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/debpkg"
)

// The decision table of the design, row by row.
func TestDecisionTable(t *testing.T) {
	half := debpkg.Status{Want: debpkg.WantDeinstall, Flag: debpkg.FlagOK, State: debpkg.HalfConfigured}
	kept := debpkg.Status{Want: debpkg.WantInstall, Flag: debpkg.FlagOK, State: debpkg.Installed}
	inFavour := debpkg.Status{Want: debpkg.WantInstall, Flag: debpkg.FlagOK, State: debpkg.HalfConfigured}
	caller := debpkg.Package{Name: "linux-image-k", Arch: "amd64", Status: half}
	world := func(status debpkg.Status) World {
		c := caller
		c.Status = status
		return World{Caller: c, CallerKnown: true, Owners: []debpkg.Package{c}, There: true}
	}
	purge := half
	purge.Want = debpkg.WantPurge
	other := debpkg.Package{Name: "linux-image-k-unsigned", Arch: "amd64", Status: kept}
	leaving := debpkg.Package{Name: "linux-modules-k", Arch: "amd64", Status: debpkg.Status{Want: debpkg.WantDeinstall, Flag: debpkg.FlagOK, State: debpkg.Installed}}
	with := func(w World, more ...debpkg.Package) World {
		w.Owners, w.Starters = append(w.Owners, more...), append(w.Starters, more...)
		return w
	}
	modulesOf := func(w World, more ...debpkg.Package) World { w.Owners = append(w.Owners, more...); return w }
	incoming := func(name string, b debpkg.Contains) World {
		w := world(inFavour)
		w.IncomingKnown, w.Contains, w.Incoming = true, b, debpkg.Incoming{Package: name}
		return w
	}
	script := Script{"prerm", caller.Name, "amd64"}
	tests := map[string]struct {
		hook   Hook
		params string
		script Script
		byHand bool
		world  World
		want   Verdict
	}{
		"removed":                        {Prerm, "remove", script, false, world(half), Unbuild},
		"purged":                         {Prerm, "remove", script, false, world(purge), Unbuild},
		"removed, quoted":                {Prerm, "'remove'", script, false, world(half), Unbuild},
		"removed, another owner stays":   {Prerm, "remove", script, false, with(world(half), other), Keep},
		"removed, its modules stay":      {Prerm, "remove", script, false, modulesOf(world(half), other), Unbuild},
		"by hand, its modules are owned": {Prerm, "", Script{}, false, modulesOf(World{There: true}, other), Keep},
		"removed, another owner goes":    {Prerm, "remove", script, false, with(world(half), leaving), Unbuild},
		"remove, but dpkg wants it":      {Prerm, "remove", script, false, world(inFavour), Keep},
		"remove, but dpkg is not at it":  {Prerm, "remove", script, false, world(leaving.Status), Keep},
		"remove, caller unknown":         {Prerm, "remove", script, false, World{There: true}, Keep},
		"remove, no database":            {Prerm, "remove", script, false, World{Unreadable: errors.New("gone")}, Keep},
		"upgraded":                       {Prerm, "upgrade 2", script, false, world(half), Keep},
		"failed-upgrade":                 {Prerm, "failed-upgrade 1 2", script, false, world(half), Keep},
		"deconfigured, wanted purged":    {Prerm, "deconfigure in-favour x 1", script, false, world(purge), Keep},
		"unknown word":                   {Prerm, "frobnicate", script, false, world(half), Keep},
		"no action, removed":             {Prerm, "", script, false, world(half), Unbuild},
		"no action, purged":              {Prerm, "", script, false, world(purge), Unbuild},
		"no action, another owner stays": {Prerm, "", script, false, with(world(half), other), Keep},
		"no action, removed, nobody's":   {Prerm, "", script, false, World{Caller: caller, CallerKnown: true, There: true}, Keep},
		"no action, removed, another's":  {Prerm, "", script, false, modulesOf(World{Caller: caller, CallerKnown: true, There: true}, other), Keep},
		"no action, dpkg wants it":       {Prerm, "", script, false, world(inFavour), Keep},
		"no action, dpkg is not at it":   {Prerm, "", script, false, world(leaving.Status), Keep},
		"no action, a postinst":          {Prerm, "", Script{"postinst", caller.Name, "amd64"}, false, world(half), Keep},
		"malformed in-favour":            {Prerm, "remove in-favour x", script, false, world(half), Keep},
		"in favour of the same kernel":   {Prerm, "remove in-favour x 1", script, false, incoming("x", debpkg.ContainsYes), Keep},
		"in favour of another":           {Prerm, "remove in-favour x 1", script, false, incoming("x", debpkg.ContainsNo), Unbuild},
		"in favour of nobody knows what": {Prerm, "remove in-favour x 1", script, false, incoming("x", debpkg.ContainsUnknown), Keep},
		"in favour of another than dpkg": {Prerm, "remove in-favour x 1", script, false, incoming("y", debpkg.ContainsNo), Keep},
		"in favour, nothing unpacked":    {Prerm, "remove in-favour x 1", script, false, world(inFavour), Keep},
		"by hand, owned":                 {Prerm, "", Script{}, false, world(kept), Keep},
		"by hand, owner deselected":      {Prerm, "", Script{}, false, world(leaving.Status), Keep},
		"by hand, nobody's":              {Prerm, "", Script{}, false, World{There: true}, Unbuild},
		"by hand, a kernel of no kind":   {Prerm, "", Script{}, false, World{Unheard: true}, Keep},
		"by hand, no database":           {Prerm, "", Script{}, false, World{Unreadable: errors.New("gone")}, Keep},
		"ordered by hand":                {Prerm, "remove", Script{}, true, world(kept), Unbuild},
		"ordered by hand: upgrade":       {Prerm, "upgrade 2", Script{}, true, World{}, Keep},
		"ordered inside a script":        {Prerm, "remove", script, true, world(kept), Keep},
		"a forged environment":           {Prerm, "remove", Script{}, false, world(kept), Keep},
		"kernel-install, upgrade":        {Prerm, "upgrade 2", Script{"postrm", "p", "all"}, false, World{}, Keep},
		"kernel-install, owned":          {Prerm, "remove", Script{"postrm", "p", "all"}, false, world(kept), Keep},
		"kernel-install, nobody's":       {Prerm, "remove", Script{"postrm", "p", "all"}, false, World{}, Unbuild},
		"from a postinst":                {Prerm, "remove", Script{"postinst", "p", "all"}, false, World{}, Keep},
		"configured":                     {Postinst, "configure", Script{"postinst", "p", "all"}, false, world(kept), Autoinstall},
		"abort-remove":                   {Postinst, "abort-remove", Script{"postinst", "p", "all"}, false, world(half), Autoinstall},
		"triggered":                      {Postinst, "triggered x", Script{"postinst", "p", "all"}, false, world(kept), Autoinstall},
		"postinst by hand":               {Postinst, "", Script{}, false, world(kept), Autoinstall},
		"headers with the kernel there":  {HeaderPostinst, "", Script{"postinst", "p", "all"}, false, world(kept), Autoinstall},
		"headers first":                  {HeaderPostinst, "configure", Script{"postinst", "p", "all"}, false, World{}, Defer},
		"postrm":                         {Postrm, "remove", Script{"postrm", "p", "all"}, false, world(half), Defer},
		"postinst.d from a postrm":       {Postinst, "remove", Script{"postrm", "p", "all"}, false, World{}, Defer},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inv := Invocation{Hook: test.hook, Kernel: "6.1", Action: debpkg.ParseAction(test.params), Script: test.script, ByHand: test.byHand}
			d := Decide(inv, test.world)
			assert.Equal(t, test.want, d.Verdict, d.Reason)
			assert.NotEmpty(t, d.Reason)
			assert.NotContains(t, d.Reason, "\n")
		})
	}
}

// A kernel that no hook was called for is unbuilt only if it is gone by every sign.
func TestDecideKernel(t *testing.T) {
	p := []debpkg.Package{{Name: "p"}}
	for name, row := range map[string]struct {
		world     World
		want      Verdict
		removeDir bool
	}{
		"there, with an image":        {World{There: true, Image: true}, Autoinstall, false},
		"there, with its image's":     {World{There: true, Owners: p, Starters: p}, Autoinstall, false},
		"there, and nothing to start": {World{There: true, Owners: p}, Keep, false},
		"there, its removal given up": {World{There: true, Owners: p, Stays: true}, Autoinstall, false},
		"there, and running":          {World{There: true, Running: true}, Autoinstall, false},
		"its modules and no more":     {World{There: true}, Keep, false},
		"there, to be configured":     {World{There: true, Image: true, Unconfigured: p}, Keep, false},
		"there, no database":          {World{There: true, Image: true, Unreadable: errors.New("gone")}, Autoinstall, false},
		"gone":                        {World{Seen: true}, Unbuild, true},
		"never seen installed":        {World{}, Keep, false},
		"only headers, never seen":    {World{Files: p}, Keep, false},
		"gone, a package's files":     {World{Files: p, Seen: true}, Unbuild, false},
		"an image and no modules":     {World{Image: true}, Keep, false},
		"an owner and no modules":     {World{Owners: p, Files: p}, Keep, false},
		"no modules and no database":  {World{Unreadable: errors.New("gone")}, Keep, false},
		"an image and all the others": {World{Image: true, Owners: p, Files: p}, Keep, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := DecideKernel(Invocation{Kernel: "6.1"}, row.world)
			assert.Equal(t, row.want, d.Verdict, d.Reason)
			assert.Equal(t, row.removeDir, d.RemoveKernelDir)
			assert.NotEmpty(t, d.Reason)
		})
	}
}

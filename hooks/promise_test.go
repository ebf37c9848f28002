package hooks

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/debpkg"
)

// In every combination of action, script, statuses and owners, builds are unbuilt only if the
// caller says that the kernel is removed, and dpkg's database or a person says so, too.
func TestUnbuildOnlyOnRealRemoval(t *testing.T) {
	actions := []string{
		"", "install 1", "upgrade 2", "remove", "remove in-favour x 1", "remove in-favour", "remove now", "purge", "configure 1",
		"triggered x", "deconfigure in-favour x 1", "failed-upgrade 1 2", "abort-install", "abort-upgrade 1",
		"abort-remove", "abort-deconfigure in-favour x 1", "disappear x 1", "frobnicate", "'remove", "remove\x00",
	}
	statuses := []debpkg.Status{}
	for _, want := range []debpkg.Want{debpkg.WantUnknown, debpkg.WantInstall, debpkg.WantHold, debpkg.WantDeinstall, debpkg.WantPurge} {
		for _, state := range []debpkg.State{debpkg.HalfInstalled, debpkg.Unpacked, debpkg.HalfConfigured, debpkg.Installed} {
			statuses = append(statuses, debpkg.Status{Want: want, Flag: debpkg.FlagOK, State: state})
		}
	}
	count := map[Verdict]int{}
	for _, params := range actions {
		for _, script := range []string{"", "prerm", "postrm", "preinst", "postinst", "odd"} {
			for _, byHand := range []bool{false, true} {
				for _, status := range statuses {
					for owners := range 3 {
						for _, contains := range []debpkg.Contains{debpkg.ContainsUnknown, debpkg.ContainsYes, debpkg.ContainsNo} {
							for _, broken := range []error{nil, errors.New("gone")} {
								w := worldOf(status, owners, contains, broken)
								inv := Invocation{Hook: Prerm, Kernel: "6.1", Action: debpkg.ParseAction(params), ByHand: byHand}
								if script != "" {
									inv.Script = Script{script, "p", "amd64"}
								}
								d := Decide(inv, w)
								count[d.Verdict]++
								if d.Verdict != Keep && !mayUnbuild(inv, w) {
									t.Fatalf("%s on %+v in %+v: %s", d.Verdict, inv, w, d.Reason)
								}
							}
						}
					}
				}
			}
		}
	}
	assert.Positive(t, count[Unbuild])
	assert.Zero(t, count[Autoinstall]+count[Defer], "a prerm keeps or unbuilds")
}

// worldOf returns a world without an owner of the kernel, with the caller as its owner, or with
// a second owner that stays.
func worldOf(status debpkg.Status, owners int, contains debpkg.Contains, broken error) World {
	w := World{There: true, Unreadable: broken, Caller: debpkg.Package{Name: "p", Arch: "amd64", Status: status}, CallerKnown: true}
	stays := debpkg.Status{Want: debpkg.WantInstall, Flag: debpkg.FlagOK, State: debpkg.Installed}
	w.Owners = []debpkg.Package{w.Caller, {Name: "q", Arch: "amd64", Status: stays}}[:owners]
	w.Starters = w.Owners
	w.IncomingKnown, w.Incoming, w.Contains = true, debpkg.Incoming{Package: "x"}, contains
	return w
}

// mayUnbuild is the promise, written independently of Decide.
func mayUnbuild(inv Invocation, w World) bool {
	plain := inv.Action.Raw == "remove"
	leaving := w.Caller.Status.Want == debpkg.WantDeinstall || w.Caller.Status.Want == debpkg.WantPurge
	switch {
	case inv.Script.Name == "" && inv.ByHand:
		return plain
	case w.Unreadable != nil:
		return false
	case inv.Script.Name == "" || inv.Script.Name == "postrm":
		word := inv.Action.Raw
		asked := plain || word == "purge" || word == "disappear x 1" || word == "remove in-favour x 1"
		return len(w.Owners) == 0 && (asked || word == "" && inv.Script.Name == "")
	case inv.Script.Name != "prerm" || len(w.Owners) == 2:
		return false
	case inv.Action.Raw == "" && len(w.Owners) == 0: // the prerm of some other package
		return false
	case plain, inv.Action.Raw == "": // a prerm without parameters, as Proxmox has it
		return leaving && w.Caller.Status.State == debpkg.HalfConfigured
	}
	return inv.Action.Raw == "remove in-favour x 1" && w.Contains == debpkg.ContainsNo
}

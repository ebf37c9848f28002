package hooks

import (
	"fmt"
	"strings"

	"dkms-hooks/dkmsstate"
)

// reconcileCommand is the command that fixes most problems.
const reconcileCommand = "dkms-hooks reconcile"

// repairAll is the command that fixes whatever this program can fix.
const repairAll = "dkms-hooks check --repair"

// configurePackages is the command that configures packages whose maintainer scripts failed or
// were interrupted.
const configurePackages = "dpkg --configure -a"

// Command returns a command that is printed for a person, who types it into a shell of the running
// system. It takes one simple command, as it is typed inside the root that is looked at. For the
// root / it returns the same. For another root it returns one that acts on nothing but that root:
// a command of this program that only reads gets the option --root, and anything else is run inside
// by chroot(8). So are the commands of this program that change something: they need dkms and depmod,
// which cannot be run from outside (dkms.NoEngine).
func (inv Invocation) Command(command string) string {
	root := quoted(inv.Root)
	program, arguments, _ := strings.Cut(command, " ")
	switch {
	case !inv.elsewhere():
		return command
	case program == "dkms-hooks" && onlyReads(arguments):
		return fmt.Sprintf("%s --root %s", command, root)
	}
	return fmt.Sprintf("chroot %s %s", root, command)
}

// elsewhere reports whether the root is another one than that of the running system.
func (inv Invocation) elsewhere() bool { return inv.Root != "" && inv.Root != "/" }

// onlyReads reports whether dkms-hooks changes nothing with these arguments.
func onlyReads(arguments string) bool {
	switch name, options, _ := strings.Cut(arguments, " "); name {
	case "check":
		return options != "--repair"
	case "status", "explain", "log", "history", "config":
		return true
	}
	return false
}

// runPostinst returns the command that brings a kernel up to date.
func (inv Invocation) runPostinst(kernel dkmsstate.Release) string {
	return inv.Command(fmt.Sprintf("dkms-hooks run %s %s", Postinst, kernel))
}

// runRemoval returns the command that removes the builds of a kernel, whoever owns it.
func (inv Invocation) runRemoval(kernel dkmsstate.Release) string {
	return inv.Command(fmt.Sprintf("dkms-hooks run %s %s --params remove", Prerm, kernel))
}

// again returns the command that runs the hook of the invocation once more.
func (inv Invocation) again() string {
	return inv.Command(fmt.Sprintf("dkms-hooks run %s %s", inv.Hook, inv.Kernel))
}

// logCommand returns the command that prints a log of a kernel, by the name of a module or of
// a program, or lists all logs of the kernel without a name.
func (inv Invocation) logCommand(kernel dkmsstate.Release, name string) string {
	return inv.Command(strings.TrimSpace(fmt.Sprintf("dkms-hooks log %s %s", kernel, name)))
}

// fixThenRun returns the advice after a failure.
func fixThenRun(command string) string { return "fix this, then run: " + command }

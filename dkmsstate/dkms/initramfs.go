package dkms

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/dkmsstate/sentinel"
)

// Initramfs regenerates the kernel's initramfs with the tool of the system.
func (d DKMS) Initramfs(ctx context.Context, kernel dkmsstate.Release, log io.Writer) error {
	command := InitramfsCommand(kernel)
	if len(command) == 0 {
		return errNoTool
	}
	return d.run(ctx, nil, log, command[0], command[1:]...)
}

// errNoTool means that no known tool can make an initramfs.
const errNoTool = sentinel.Error("neither update-initramfs nor dracut is installed")

// InitramfsCommand returns the command that regenerates a kernel's initramfs:
// update-initramfs(8), which new versions of dracut contain too, or dracut(8). It returns nil
// if the system has neither.
func InitramfsCommand(kernel dkmsstate.Release) []string {
	for _, command := range [][]string{
		{"update-initramfs", "-u", "-k", string(kernel)},
		{"dracut", "--force", "/boot/initrd.img-" + string(kernel), string(kernel)},
	} {
		if _, err := dkmsstate.LookPath(command[0]); err == nil {
			return command
		}
	}
	return nil
}

// afterInitramfs is the directory of the hooks that update-initramfs(8) and Debian's dracut(8) run,
// for boot loaders.
const afterInitramfs = "/etc/initramfs/post-update.d"

// AfterInitramfs runs the hooks in afterInitramfs.
func (d DKMS) AfterInitramfs(ctx context.Context, kernel dkmsstate.Release, log io.Writer) error {
	if !dkmsstate.Exists(afterInitramfs) {
		return nil
	}
	return d.run(ctx, nil, log, "run-parts", "--arg="+string(kernel), "--arg=/boot/initrd.img-"+string(kernel), afterInitramfs)
}

// BootModules returns those of the named modules that the kernel needs to boot, by the
// configuration of initramfs-tools(7) and dracut.conf(5). These are the modules in their lists
// for every initramfs, and those with a hook of the same name, as ZFS has.
func BootModules(l dkmsstate.Layout, names []string) []string {
	listed := listedModules(l, "add_drivers", "force_drivers", "drivers")
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !listed[dkmsstate.Underscored(name)] && !bootHook(l, name)
	})
}

// LoadedModules returns those of the named modules that an initramfs certainly loads if it contains
// them: initramfs-tools loads what its lists name, and dracut what force_drivers names.
func LoadedModules(l dkmsstate.Layout, names []string) []string {
	listed := listedModules(l, "force_drivers")
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !listed[dkmsstate.Underscored(name)] })
}

// listedModules returns the modules in the lists of initramfs-tools, and in variables of dracut's
// configuration.
func listedModules(l dkmsstate.Layout, variables ...string) map[string]bool {
	listed := map[string]bool{}
	lists := []string{l.Path("/etc/initramfs-tools/modules")}
	for _, pattern := range []string{"/usr/share/initramfs-tools/modules.d/*", "/etc/dracut.conf", "/etc/dracut.conf.d/*.conf"} {
		found, _ := filepath.Glob(l.Path(pattern))
		lists = append(lists, found...)
	}
	for _, list := range lists {
		data, _ := regular.ReadFile(list)
		for line := range strings.Lines(string(data)) {
			line, _, _ = strings.Cut(line, "#")
			fields := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\n\"'+=", r) })
			if !strings.Contains(list, "dracut") {
				fields = fields[:min(1, len(fields))] // options of the module follow
			} else if len(fields) > 0 && !slices.Contains(variables, fields[0]) {
				continue
			}
			for _, field := range fields {
				listed[dkmsstate.Underscored(field)] = true
			}
		}
	}
	return listed
}

// bootHook reports whether a hook of an initramfs has the name of a module.
func bootHook(l dkmsstate.Layout, name string) bool {
	for _, pattern := range []string{"/usr/share/initramfs-tools/hooks/" + name, "/etc/initramfs-tools/hooks/" + name, "/usr/lib/dracut/modules.d/[0-9][0-9]" + name} {
		if found, _ := filepath.Glob(l.Path(pattern)); len(found) > 0 {
			return true
		}
	}
	return false
}

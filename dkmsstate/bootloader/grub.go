package bootloader

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/efivars"
)

// grubConfigs returns where grub.cfg is: on Debian and Ubuntu, and elsewhere.
func grubConfigs() []string { return []string{"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"} }

// grub returns the kernel that GRUB starts.
func (m Machine) grub() Choice {
	found := m.existing(grubConfigs()...)
	if len(found) != 1 {
		return unknown(grubName, "more than one configuration of GRUB: "+strings.Join(found, ", "))
	}
	config := found[0]
	if err := m.ownGrub(config); err != nil {
		return unknown(grubName, err.Error())
	}
	run := newGrubRun(m.grubFiles(path.Dir(config)))
	if err := run.readConfig(config); err != nil {
		return unknown(grubName, err.Error())
	}
	value := run.value("default")
	if !value.known {
		return unknown(grubName, "what sets the default of "+config+" cannot be determined")
	}
	c := Choice{Certainty: Decided, Loader: grubName, Source: config, Once: strings.HasPrefix(value.from, "next_entry "),
		Reason: fmt.Sprintf("the default of %s is %q", config, value.text)}
	if variable, file, ok := strings.Cut(value.from, " in "); ok {
		c.Source, c.Reason = file, fmt.Sprintf("%s of %s is %q", variable, file, value.text)
	}
	if value.text == "" {
		c.Reason = config + " sets no default, so that the first entry is started"
	}
	entries, err := run.chosen(value.text, run.orders(path.Dir(config)))
	if err != nil {
		return unknown(grubName, c.Reason+": "+err.Error())
	}
	c.Entry = titles(entries)
	linux, err := m.starts(run, entries[len(entries)-1])
	if err != nil {
		return unknown(grubName, fmt.Sprintf("%s: the entry %q: %v", c.Reason, c.Entry, err))
	}
	if c.Kernel, err = m.imageRelease(linux.image, "/boot"); err != nil {
		return unknown(grubName, fmt.Sprintf("%s: the entry %q: %v", c.Reason, c.Entry, err))
	}
	c.Cmdline, c.CmdlinePerhaps, c.CmdlineComplete = linux.cmdline, linux.perhaps, linux.complete
	if linux.initrdKnown && linux.complete && argument(linux.cmdline, "initrd") == "" {
		c.Initrd, c.InitrdKnown = m.initrdFiles(linux.initrd, "/boot")
	}
	return c
}

// ownGrub returns an error if the GRUB that started the running system is known to read another
// configuration than this one: that of another system on the same machine.
func (m Machine) ownGrub(config string) error {
	if !m.Booted {
		return nil
	}
	cmdline, err := m.read("/proc/cmdline") // GRUB begins it with BOOT_IMAGE=, but not that of a module of Xen
	if err == nil && !strings.Contains(string(cmdline), "BOOT_IMAGE=") && !m.exists("/sys/hypervisor/type") {
		return errors.New("GRUB is configured, and did not start this system")
	}
	vars := m.firmware()
	current, _ := vars.option(vars.variable("BootCurrent", efivars.Firmware))
	stub := path.Join(path.Dir(strings.ReplaceAll(current.file, `\`, "/")), "grub.cfg")
	for _, dir := range systemPartitionDirs() {
		text, err := m.read(path.Join(dir, stub))
		if found := regexp.MustCompile(`search\.fs_uuid ([0-9A-Fa-f-]+) `).FindSubmatch(text); err == nil && found != nil {
			own, err := m.read(config)
			if err == nil && !bytes.Contains(own, found[1]) {
				err = fmt.Errorf("%s reads its configuration from another filesystem", current.file)
			}
			return err
		}
	}
	return nil
}

// readConfig evaluates a configuration.
func (r *grubRun) readConfig(name string) error {
	data, err := r.files.read(name)
	if err != nil {
		return err
	}
	script, err := parseGrub(string(data))
	if err == nil {
		err = r.run(script)
	}
	if err != nil {
		return fmt.Errorf("cannot evaluate %s: %w", name, err)
	}
	return nil
}

// grubFiles returns the files that a script in the directory reads.
func (m Machine) grubFiles(dir string) grubFiles {
	return grubFiles{dir: dir, read: m.read,
		size: func(name string) int64 {
			info, err := os.Stat(m.inside(name))
			if err != nil || !info.Mode().IsRegular() {
				return -1
			}
			return info.Size()
		},
		bls: func() ([]blsEntry, error) {
			entries, err := m.type1Entries("/boot")
			slices.SortStableFunc(entries, func(a, b blsEntry) int { return compareVersions(b.id, a.id) })
			for i, e := range entries {
				entries[i].id = strings.TrimSuffix(e.id, ".conf")
			}
			return entries, err
		}}
}

func titles(entries []grubEntry) string {
	var text []string
	for _, e := range entries {
		text = append(text, e.title)
	}
	return strings.Join(text, ">")
}

// starts returns the kernel that an entry starts.
func (m Machine) starts(run *grubRun, e grubEntry) (grubLinux, error) {
	if e.linux != nil {
		return *e.linux, nil
	}
	linux, err := run.linux(e)
	if err != nil || strings.HasPrefix(e.id, "gnulinux-") || strings.HasPrefix(e.id, "xen-gnulinux-") {
		return linux, err
	}
	own := run.ownRoots()
	if root := argument(linux.cmdline, "root"); strings.HasPrefix(e.id, "osprober-") || len(own) > 0 && !slices.Contains(own, root) {
		return linux, fmt.Errorf("it may start another system (root=%s)", root)
	}
	return linux, nil
}

// ownRoots returns the values of root= in the entries that grub-mkconfig wrote for this system.
func (r *grubRun) ownRoots() []string {
	var roots []string
	for _, e := range r.menu {
		if !strings.HasPrefix(e.id, "gnulinux-") || e.submenu {
			continue
		}
		if linux, err := r.linux(e); err == nil {
			roots = append(roots, argument(linux.cmdline, "root"))
		}
	}
	return roots
}

// argument returns the last value of an argument of a command line, "" without one.
func argument(cmdline, name string) string {
	value := ""
	for _, word := range strings.Fields(cmdline) {
		if v, ok := strings.CutPrefix(word, name+"="); ok {
			value = v
		}
	}
	return value
}

// linux evaluates the commands of an entry, and returns the kernel that it starts.
func (r *grubRun) linux(e grubEntry) (grubLinux, error) {
	entry := r.inside(e)
	entry.inEntry = true
	if err := entry.call(e.body, e.args); err != nil {
		return grubLinux{}, err
	}
	var kernels []grubLoad
	for _, load := range entry.boots {
		switch {
		case strings.HasPrefix(load.command, "linux"):
			kernels = append(kernels, load)
		case strings.HasPrefix(load.command, "multiboot") || load.command == "xen_hypervisor":
		case strings.HasSuffix(load.command, "module") || load.command == "module2":
			if len(kernels) == 0 { // below a hypervisor the kernel is the first module
				kernels = append(kernels, load)
			}
		default:
			return grubLinux{}, fmt.Errorf("it starts another program (%s)", load.command)
		}
	}
	switch {
	case len(kernels) == 0:
		return grubLinux{}, errors.New("it starts no kernel")
	case len(kernels) > 1 || !kernels[0].certain:
		return grubLinux{}, errors.New("a condition that is not known selects its kernel")
	}
	linux, err := linuxOf(kernels[0])
	if strings.HasPrefix(kernels[0].command, "linux") { // that of a kernel below a hypervisor is a module as well
		linux.initrd, linux.initrdKnown = initrdOf(entry.initrds, kernels[0])
	}
	return linux, err
}

// linuxOf returns the kernel that a command loads.
func linuxOf(load grubLoad) (grubLinux, error) {
	args := load.args
	for len(args) > 0 && args[0].known && strings.HasPrefix(args[0].text, "--") {
		args = args[1:]
	}
	if len(args) == 0 || !args[0].known {
		return grubLinux{}, errors.New("the image is not known")
	}
	linux := grubLinux{image: args[0].text, complete: true}
	if _, rest, ok := strings.Cut(linux.image, ")"); ok && strings.HasPrefix(linux.image, "(") {
		linux.image = rest
	}
	for _, arg := range args[1:] {
		linux.add(arg)
	}
	return linux, nil
}

// inside returns an evaluation of the commands of an entry or a submenu.
func (r *grubRun) inside(e grubEntry) *grubRun {
	inner := &grubRun{files: r.files, env: map[string]grubValue{}, functions: map[string]grubScript{}, steps: r.steps, depth: r.depth}
	for name, v := range r.env {
		inner.env[name] = v
	}
	for name, body := range r.functions {
		inner.functions[name] = body
	}
	inner.env["chosen"] = grubValue{}
	return inner
}

// checkPins compares a choice with the kernel that Proxmox has pinned. Its tool writes the pin
// into the configuration of GRUB as well.
func (m Machine) checkPins(c Choice) Choice {
	pin, source, err := m.pin()
	switch {
	case c.Loader == proxmoxName || c.Certainty == Unknown:
	case err != nil:
		return unknown(c.Loader, err.Error())
	case pin != "" && pin != c.Kernel:
		return unknown(c.Loader, fmt.Sprintf("%s pins %s, and %s starts %s", source, pin, c.Loader, c.Kernel))
	}
	return c
}

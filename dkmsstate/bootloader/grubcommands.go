package bootloader

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// harmless are the commands that change neither the menu nor a variable, unless they have an
// option --set.
func harmless() []string {
	return []string{"insmod", "rmmod", "loadfont", "terminal_input", "terminal_output", "terminal", "search", "search.fs_uuid", "search.file", "search.fs_label",
		"export", "save_env", "background_image", "background_color", "play", "echo", "password", "password_pbkdf2", "serial", "keymap", "keystatus",
		"probe", "regexp", "fwsetup", "hwmatch", "sleep", "smbios", "cryptomount", "loopback", "videoinfo", "clear", "gettext", "true", "false",
		"lsefi", "efi-watchdog", "gptsync", "devicetree", "acpi", "cutmem", "badram", "nativedisk", "outb", "usb",
		"setparams", "recordfail", "at_keyboard", "usb_keyboard", "cat", "ls", "help", "module_hash", "tpm", "verify_detached", "trust", "distrust", "cpuid",
		"increment", "net_bootp", "net_dhcp", "smm", "stall", "date", "hashsum", "md5sum"}
}

// loads are the commands that load what an entry starts.
func loads() []string {
	return []string{"linux", "linux16", "linuxefi", "multiboot", "multiboot2", "xen_hypervisor", "module", "module2", "xen_module", "chainloader", "ntldr", "freedos", "kfreebsd", "knetbsd", "appleloader",
		"xnu_kernel", "xnu_kernel64", "drivemap", "plan9", "truecrypt", "pxechainloader", "openbsd", "kopenbsd"}
}

// execute evaluates a command. c has its block.
func (r *grubRun) execute(name string, args []grubValue, c grubCommand) error {
	r.last = maybe
	function, defined := r.functions[name]
	switch {
	case name == "menuentry" || name == "submenu":
		return r.addEntry(name == "submenu", args, c)
	case defined:
		return r.call(function, args)
	case name == "set":
		if !r.assigns(c.words[1:]) {
			return r.set(args)
		}
	case name == "unset":
		for _, arg := range args {
			r.env[arg.text] = grubValue{known: true}
		}
	case name == "[" || name == "test":
		r.last = r.test(args)
	case name == "true" || name == "false":
		r.last = truthOf(name == "true")
	case name == "load_env":
		return r.loadEnv(args)
	case name == "source" || name == ".":
		return r.source(args)
	case name == "blscfg":
		return r.addSpecified(args)
	case r.inEntry && slices.Contains(loads(), name):
		r.boots = append(r.boots, grubLoad{command: name, args: args, certain: r.doubt == 0, roots: r.roots})
	case strings.HasPrefix(name, "initrd"):
		r.initrds = append(r.initrds, grubLoad{command: name, args: args, certain: r.doubt == 0, roots: r.roots})
	case name == "increment" || name == "read" || name == "getenv":
		for _, arg := range args {
			r.env[arg.text] = grubValue{}
		}
	case name == "hwmatch":
		r.env["match"] = grubValue{}
	case slices.Contains(harmless(), name):
		r.setByOption(args)
	default:
		return fmt.Errorf("it has the command %q, which is not supported", name)
	}
	return nil
}

func isVariable(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for i := range len(name) {
		if !isAlnum(name[i]) && name[i] != '_' {
			return false
		}
	}
	return true
}

// set evaluates "set NAME=VALUE" in which a variable has a part of the name.
func (r *grubRun) set(args []grubValue) error {
	if len(args) == 0 {
		return nil
	}
	name, value, ok := strings.Cut(args[0].text, "=")
	if !ok {
		return nil
	}
	if !isVariable(name) {
		return fmt.Errorf("it sets %q", name)
	}
	r.setVariable(name, grubValue{text: value, known: args[0].known, from: args[0].from})
	return nil
}

// setByOption marks the variable that an option --set names, and the root that search finds, as
// not known.
func (r *grubRun) setByOption(args []grubValue) {
	for i, arg := range args {
		_, name, inline := strings.Cut(arg.text, "=")
		switch {
		case strings.HasPrefix(arg.text, "--set=") && inline:
		case (arg.text == "--set" || arg.text == "-s") && i+1 < len(args):
			name = args[i+1].text
		default:
			continue
		}
		if before, after, ok := strings.Cut(name, ":"); ok { // regexp --set 1:NAME
			_, name = before, after
		}
		r.assign(name, grubValue{})
	}
}

// loadEnv evaluates load_env: every variable of the environment block is set.
func (r *grubRun) loadEnv(args []grubValue) error {
	file := grubPrefix + "/grubenv"
	var only []string
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case !arg.known:
			return errors.New("it reads an environment block whose name is not known")
		case (arg.text == "-f" || arg.text == "--file") && i+1 < len(args) && args[i+1].known:
			i++
			file = args[i].text
		case strings.HasPrefix(arg.text, "--file="):
			file = strings.TrimPrefix(arg.text, "--file=")
		case arg.text == "-s" || arg.text == "--skip-sig":
		case strings.HasPrefix(arg.text, "-"):
			return fmt.Errorf("it has load_env with %s", arg.text)
		default:
			only = append(only, arg.text)
		}
	}
	name, ok := r.files.resolve(file)
	if !ok {
		return fmt.Errorf("it reads the environment block %s, which cannot be found", file)
	}
	data, err := r.files.read(name)
	if err != nil {
		return err
	}
	env, err := parseGrubEnv(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for variable, value := range env {
		if len(only) == 0 || slices.Contains(only, variable) {
			r.env[variable] = grubValue{text: value, known: true, from: variable + " in " + name}
		}
	}
	return nil
}

// addEntry evaluates menuentry and submenu.
func (r *grubRun) addEntry(submenu bool, args []grubValue, c grubCommand) error {
	if !c.hasBlock {
		return errors.New("it has a menu entry without commands")
	}
	e := grubEntry{submenu: submenu, body: c.block, certain: r.doubt == 0}
	titled := false
	for i := 0; i < len(args); i++ {
		option, value, inline := strings.Cut(args[i].text, "=")
		switch {
		case titled && args[i].text == "--unrestricted", args[i].text == "--unrestricted":
		case slices.Contains([]string{"--class", "--users", "--hotkey", "--source", "--id"}, option):
			if !inline {
				if i++; i == len(args) {
					return fmt.Errorf("it has a menu entry with %s and no value", option)
				}
				value = args[i].text
			}
			if !args[i].known && option == "--id" {
				return errors.New("the identifier of a menu entry is not known")
			}
			if option == "--id" {
				e.id = value
			}
		case strings.HasPrefix(args[i].text, "--"):
			return fmt.Errorf("it has a menu entry with %s", args[i].text)
		case titled:
			e.args = append(e.args, args[i])
		case !args[i].known:
			return errors.New("the title of a menu entry is not known")
		default:
			e.title, titled = args[i].text, true
		}
	}
	if e.id == "" {
		e.id = e.title
	}
	if !titled {
		return errors.New("it has a menu entry without a title")
	}
	r.menu = append(r.menu, e)
	return nil
}

// addSpecified evaluates blscfg: the entries of the Boot Loader Specification, the newest first.
func (r *grubRun) addSpecified(args []grubValue) error {
	if len(args) > 0 {
		return errors.New("it has blscfg with arguments")
	}
	r.specified = true
	entries, err := r.files.bls()
	if err != nil {
		return err
	}
	for _, e := range entries {
		words, err := grubTokens(e.options)
		if err != nil {
			return fmt.Errorf("%s: %w", e.file, err)
		}
		linux := grubLinux{image: e.linux, complete: true, initrd: e.initrd, initrdKnown: e.initrdKnown()}
		for _, token := range words {
			for _, v := range r.expand([]grubWord{token.word}) {
				linux.add(v)
			}
		}
		r.menu = append(r.menu, grubEntry{title: e.title, id: e.id, certain: r.doubt == 0, linux: &linux})
	}
	return nil
}

// test evaluates the arguments of "[": primaries with "!", joined by -a and -o.
func (r *grubRun) test(args []grubValue) truth {
	if n := len(args); n > 0 && args[n-1].text == "]" && args[n-1].known {
		args = args[:n-1]
	}
	if len(args) == 0 {
		return yes // so it is in GRUB
	}
	any, all := no, yes
	for {
		var one truth
		one, args = r.primary(args)
		all = and(all, one)
		if len(args) == 0 {
			return or(any, all)
		}
		switch args[0].text {
		case "-a":
		case "-o":
			any, all = or(any, all), yes
		default:
			return maybe
		}
		args = args[1:]
	}
}

func and(a, b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return maybe
}

func or(a, b truth) truth { return and(a.not(), b.not()).not() }

// primary evaluates the first condition among the arguments of "[", and returns the rest.
func (r *grubRun) primary(args []grubValue) (truth, []grubValue) {
	if len(args) == 0 {
		return no, nil
	}
	if args[0].known && args[0].text == "!" {
		t, rest := r.primary(args[1:])
		return t.not(), rest
	}
	if len(args) > 2 && isComparison(args[1]) {
		return compare(args[0], args[1].text, args[2]), args[3:]
	}
	if len(args) > 1 && args[0].known && len(args[0].text) == 2 && args[0].text[0] == '-' {
		return r.unary(args[0].text, args[1]), args[2:]
	}
	if !args[0].known {
		return maybe, args[1:]
	}
	return truthOf(args[0].text != ""), args[1:]
}

func isComparison(v grubValue) bool {
	return v.known && slices.Contains([]string{"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"}, v.text)
}

func compare(a grubValue, operator string, b grubValue) truth {
	if !a.known || !b.known {
		return maybe
	}
	switch operator {
	case "=", "==":
		return truthOf(a.text == b.text)
	case "!=":
		return truthOf(a.text != b.text)
	}
	x, err1 := strconv.Atoi(a.text)
	y, err2 := strconv.Atoi(b.text)
	if err1 != nil || err2 != nil {
		return maybe
	}
	return truthOf(map[string]bool{"-eq": x == y, "-ne": x != y, "-lt": x < y, "-le": x <= y, "-gt": x > y, "-ge": x >= y}[operator])
}

// unary evaluates -z, -n and the tests of files.
func (r *grubRun) unary(operator string, arg grubValue) truth {
	if !arg.known {
		return maybe
	}
	switch operator {
	case "-z":
		return truthOf(arg.text == "")
	case "-n":
		return truthOf(arg.text != "")
	case "-e", "-f", "-s":
		name, ok := r.files.resolve(arg.text)
		if !ok {
			return maybe
		}
		size := r.files.size(name)
		return truthOf(size > 0 || size == 0 && operator != "-s")
	}
	return maybe
}

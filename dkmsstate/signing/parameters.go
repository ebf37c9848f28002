package signing

import (
	"slices"
	"strings"
)

// parameters are those of a kernel's command line that decide about signatures.
type parameters struct {
	// enforce reports whether module.sig_enforce is set, lockdown whether lockdown= names a level.
	enforce, lockdown bool
	// doubt is the first parameter of which it is not known here whether it makes the kernel
	// refuse modules. keysDoubt is the first one by which it may not read the firmware's keys.
	doubt, keysDoubt string
	// blacklist are the modules that the kernel refuses, separated by commas. disabled reports
	// whether it loads no module once the first process runs.
	blacklist string
	disabled  bool
}

// Decides reports whether arguments of a command line may decide about signatures. Quotes and "--"
// change the meaning of those beside them.
func Decides(args []string) bool {
	return parseParameters(strings.Join(args, " ")) != parameters{} ||
		slices.ContainsFunc(args, func(arg string) bool { return arg == "--" || strings.Contains(arg, `"`) })
}

// parseParameters parses a command line like the kernel (lib/cmdline.c, next_arg): the parameters
// are separated by white space that is not between double quotes, - in a name is the same as _,
// and what follows "--" is for init.
func parseParameters(line string) parameters {
	var p parameters
	quoted := false
	words := strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && strings.ContainsRune(" \t\n\v\f\r\u00a0", r)
	})
	for _, word := range words {
		word = strings.Trim(word, `"`)
		if word == "--" {
			break
		}
		name, value, valued := strings.Cut(word, "=")
		p.add(strings.ReplaceAll(name, "-", "_"), strings.Trim(value, `"`), valued)
	}
	return p
}

// add adds a parameter. Once module.sig_enforce is set, nothing unsets it (bool_enable_only), and
// lockdown cannot be lowered.
func (p *parameters) add(name, value string, valued bool) {
	switch {
	case name == "module.sig_enforce":
		p.enforce = p.enforce || !valued || isTrue(value)
	case name == "lockdown":
		p.lockdown = p.lockdown || value == "integrity" || value == "confidentiality"
	case name == "module_blacklist": // the last one counts (core_param)
		p.blacklist = value
	case name == "sysctl.kernel.modules_disabled", name == "sysctl.kernel/modules_disabled":
		p.disabled = p.disabled || value != "0"
	case name == "noefi", name == "efi" && strings.Contains(value, "noruntime"):
		p.keysDoubt = first(p.keysDoubt, name)
	case name == "ima_policy", name == "ima_appraise", name == "fips", name == "bootconfig", name == "nomodule", name == "initcall_blacklist", strings.HasPrefix(name, "loadpin."):
		p.doubt = first(p.doubt, name)
	}
}

// isTrue reports whether the kernel reads a value as true (kstrtobool).
func isTrue(value string) bool {
	lower := strings.ToLower(value)
	return lower != "" && strings.Contains("yt1", lower[:1]) || strings.HasPrefix(lower, "on")
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

package bootloader

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// grubRun is a script that is being evaluated: all branches of a condition that is not known
// are evaluated, and what they leave different is not known afterwards.
type grubRun struct {
	files     grubFiles
	env       map[string]grubValue
	functions map[string]grubScript
	menu      []grubEntry
	// doubt counts the conditions around the present command that are not known.
	doubt int
	// steps counts the commands, depth the calls around the present one.
	steps, depth int
	last         truth
	// boots is what the commands linux and chainloader of an entry load. inEntry reports whether
	// the commands are those of an entry.
	boots   []grubLoad
	inEntry bool
	// initrds is what the commands initrd load.
	initrds []grubLoad
	// roots counts how often root was set, the filesystem from which files are loaded.
	roots int
	// specified reports whether the menu has the entries of the Boot Loader Specification.
	specified bool
}

// grubFiles are the files that a script can read.
type grubFiles struct {
	dir  string
	read func(name string) ([]byte, error)
	// size returns the size of a file, -1 if there is none.
	size func(name string) int64
	// bls returns the entries of the Boot Loader Specification.
	bls func() ([]blsEntry, error)
}

// grubPrefix is the value of prefix and config_directory: the directory of grub.cfg. It cannot
// be a part of a real path.
const grubPrefix = "\x00prefix"

// maxGrubSteps bounds how many commands are evaluated.
const maxGrubSteps = 200000

func newGrubRun(files grubFiles) *grubRun {
	r := &grubRun{files: files, env: map[string]grubValue{}, functions: map[string]grubScript{}}
	for _, name := range []string{"prefix", "config_directory"} {
		r.env[name] = grubValue{text: grubPrefix, known: true}
	}
	// grub-core/normal/main.c; every GRUB 2 since 2.00 has these
	for _, name := range []string{"chainloader_bpb", "ntldr", "platform_search_hint", "default_font_path", "all_video_module",
		"menuentry_id", "menuentry_options", "200_final", "timeout_style"} {
		r.env["feature_"+name] = grubValue{text: "y", known: true}
	}
	return r
}

// ownVariables are the variables that GRUB itself sets before it reads the script.
func ownVariables() []string {
	return []string{"?", "root", "cmdpath", "lang", "locale_dir", "secondary_locale_dir", "grub_cpu", "grub_platform", "biosnum", "pager", "debug",
		"check_signatures", "shim_lock", "lockdown", "config_file", "chosen", "theme", "icondir", "gfxmode", "gfxpayload", "superusers", "bootp_next_server"}
}

// value returns the value of a variable. One that neither GRUB nor the script sets is empty.
func (r *grubRun) value(name string) grubValue {
	if v, set := r.env[name]; set {
		return v
	}
	return initialValue(name)
}

// initialValue returns the value of a variable before the script sets it.
func initialValue(name string) grubValue {
	for _, prefix := range []string{"net_", "pxe_", "feature_", "color_"} {
		if strings.HasPrefix(name, prefix) {
			return grubValue{}
		}
	}
	return grubValue{known: !slices.Contains(ownVariables(), name)}
}

// run evaluates a script.
func (r *grubRun) run(script grubScript) error {
	for _, c := range script {
		if r.steps++; r.steps > maxGrubSteps {
			return errors.New("the script has too many commands")
		}
		if err := r.command(c); err != nil {
			return err
		}
	}
	return nil
}

func (r *grubRun) command(c grubCommand) error {
	switch c.statement {
	case "if":
		return r.branches(c.branches)
	case "function":
		if r.doubt > 0 {
			return errors.New("it defines a function on a condition that is not known")
		}
		r.functions[c.words[0].literal()] = c.block
		return nil
	case "for":
		return r.loop(c)
	}
	if r.assigns(c.words) {
		return nil
	}
	args := r.expand(c.words)
	switch {
	case len(args) == 0:
		return nil
	case !args[0].known:
		return errors.New("the name of a command is not known")
	}
	return r.execute(args[0].text, args[1:], c)
}

// assigns evaluates NAME=VALUE, and reports whether the words are that. A variable without quotes
// whose value has several words is not followed.
func (r *grubRun) assigns(words []grubWord) bool {
	if len(words) != 1 || words[0][0].variable || words[0][0].quoted {
		return false
	}
	name, value, ok := strings.Cut(words[0][0].text, "=")
	if !ok || !isVariable(name) {
		return false
	}
	v := grubValue{text: value, known: true}
	for _, part := range words[0][1:] {
		add := grubValue{text: part.text, known: true}
		if part.variable {
			add = r.value(part.text)
		}
		if part.variable && !part.quoted && strings.ContainsAny(add.text, " \t\n") {
			add = grubValue{}
		}
		v = v.with(add)
	}
	r.setVariable(name, v)
	return true
}

// setVariable sets a variable. Of one that is not known nothing is kept.
func (r *grubRun) setVariable(name string, v grubValue) {
	if !v.known {
		v = grubValue{either: v.either}
	}
	r.assign(name, v)
	r.last = yes
}

// assign gives a variable a value.
func (r *grubRun) assign(name string, v grubValue) {
	r.env[name] = v
	if name == "root" {
		r.roots++
	}
}

// branches evaluates the branches of "if".
func (r *grubRun) branches(all []grubBranch) error {
	if len(all) == 0 {
		return nil
	}
	first := all[0]
	if first.otherwise {
		return r.run(first.body)
	}
	r.last = yes
	if err := r.run(first.condition); err != nil {
		return err
	}
	switch r.last {
	case yes:
		return r.run(first.body)
	case no:
		return r.branches(all[1:])
	}
	before := maps.Clone(r.env)
	r.doubt++
	defer func() { r.doubt-- }()
	if err := r.run(first.body); err != nil {
		return err
	}
	after := r.env
	r.env = before
	if err := r.branches(all[1:]); err != nil {
		return err
	}
	r.merge(after)
	r.last = maybe
	return nil
}

// merge keeps of the variables what both branches have.
func (r *grubRun) merge(other map[string]grubValue) {
	for name := range other {
		r.env[name] = r.value(name)
	}
	for name, v := range r.env {
		w, set := other[name]
		if !set {
			w = initialValue(name)
		}
		if v.known != w.known || v.text != w.text || !v.known {
			r.env[name] = grubValue{either: alternatives(v, w)}
		}
	}
}

// loop evaluates "for".
func (r *grubRun) loop(c grubCommand) error {
	name := c.words[0].literal()
	for _, v := range r.expand(c.words[1:]) {
		if !v.known {
			return errors.New("a loop over words that are not known")
		}
		r.env[name] = v
		if err := r.run(c.block); err != nil {
			return err
		}
	}
	return nil
}

// source evaluates another script.
func (r *grubRun) source(args []grubValue) error {
	if len(args) == 0 || !args[0].known {
		return errors.New("it reads a file whose name is not known")
	}
	name, ok := r.files.resolve(args[0].text)
	if !ok {
		return fmt.Errorf("it reads %s, which cannot be found", args[0].text)
	}
	data, err := r.files.read(name)
	if err != nil {
		return err
	}
	script, err := parseGrub(string(data))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return r.call(script, nil)
}

// call evaluates a function or another script with its arguments.
func (r *grubRun) call(script grubScript, args []grubValue) error {
	const deepest = 20
	if r.depth++; r.depth > deepest {
		return errors.New("calls are nested too deep")
	}
	defer func() { r.depth-- }()
	const most = 9
	before := map[string]grubValue{}
	for i := range most {
		name := fmt.Sprint(i + 1)
		before[name] = r.value(name)
		r.env[name] = grubValue{known: true}
		if i < len(args) {
			r.env[name] = args[i]
		}
	}
	err := r.run(script)
	maps.Copy(r.env, before)
	return err
}

// resolve returns the path of a file in the directory of grub.cfg, and whether it is there.
func (f grubFiles) resolve(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, grubPrefix)
	if !ok || rest != "" && rest[0] != '/' || strings.Contains(rest, "..") {
		return "", false
	}
	return f.dir + rest, true
}

package debpkg

import (
	"slices"
	"strconv"
	"strings"
)

// Word is the first argument of a maintainer script (Policy 6.5).
type Word string

// None stands for no maintainer script at all.
const (
	None             Word = ""
	Install          Word = "install"
	Upgrade          Word = "upgrade"
	Remove           Word = "remove"
	Purge            Word = "purge"
	Configure        Word = "configure"
	Triggered        Word = "triggered"
	Deconfigure      Word = "deconfigure"
	FailedUpgrade    Word = "failed-upgrade"
	AbortInstall     Word = "abort-install"
	AbortUpgrade     Word = "abort-upgrade"
	AbortRemove      Word = "abort-remove"
	AbortDeconfigure Word = "abort-deconfigure"
	Disappear        Word = "disappear"
)

// Ref names another package of the same dpkg run.
type Ref struct{ Package, Version string }

// Action is the call of a maintainer script: its word and its arguments, sorted
// by what they mean.
type Action struct {
	Word Word
	// Versions are the plain version arguments: upgrade NEW, configure OLD,
	// failed-upgrade OLD NEW and so on.
	Versions []string
	// Triggers are the names that triggered was called with.
	Triggers []string
	// InFavour is the package that takes the place of the caller: in-favour
	// PACKAGE VERSION, and the overwriter of a disappear.
	InFavour *Ref
	// Removing is the conflicting package behind a deconfigure.
	Removing *Ref
	// Raw is the text as given.
	Raw string
	// rest are the arguments of a call that deb-prerm(5) and its like do not
	// know; such an action is not Known, and has no other arguments.
	rest []string
}

// ParseAction reads DEB_MAINT_PARAMS, quoted for a shell or plain. Text that
// makes no call that dpkg knows is an Action as well: its Word is kept and Known
// is false. Empty text is None.
func ParseAction(params string) Action {
	words, ok := splitWords(params)
	if !ok {
		return Action{Word: Word(strings.TrimFunc(params, isBlank)), Raw: params}
	}
	action := newAction(words)
	action.Raw = params
	return action
}

// newAction sorts the arguments of a maintainer script by their word.
func newAction(words []string) Action {
	if len(words) > 1 && words[0] == "" {
		// An empty word with arguments is no call, and not None either.
		return Action{Word: Word(strings.Join(words, " ")), rest: []string{}}
	}
	if len(words) == 0 {
		return Action{}
	}
	a := Action{Word: Word(words[0])}
	args := words[1:]
	known := true
	switch a.Word {
	case None, Purge:
		known = len(args) == 0
	case Configure, Install, Upgrade, FailedUpgrade, AbortInstall, AbortUpgrade:
		known = a.versions(args)
	case Triggered:
		a.triggers(args)
	case Disappear:
		if known = len(args) == 2; known {
			a.InFavour = &Ref{args[0], args[1]}
		}
	case Remove, AbortRemove, Deconfigure, AbortDeconfigure:
		known = a.others(args)
	default:
		known = false
	}
	if !known && len(args) > 0 {
		return Action{Word: a.Word, rest: slices.Clone(args)}
	}
	return a
}

// versions takes up to two versions. dpkg passes an empty one where there was no
// version before ("configure" of a first installation).
func (a *Action) versions(args []string) bool {
	if len(args) > 2 {
		return false
	}
	for _, version := range args {
		if version != "" {
			a.Versions = append(a.Versions, version)
		}
	}
	return true
}

// triggers takes the one argument of triggered, a list that spaces part.
func (a *Action) triggers(args []string) {
	for _, names := range args {
		a.Triggers = append(a.Triggers, strings.FieldsFunc(names, isBlank)...)
	}
}

// others takes [in-favour PACKAGE VERSION] [removing PACKAGE VERSION].
func (a *Action) others(args []string) bool {
	for ; len(args) >= 3; args = args[3:] {
		ref := &Ref{args[1], args[2]}
		switch {
		case ref.Package == "":
			return false
		case args[0] == "in-favour" && a.InFavour == nil && a.Removing == nil:
			a.InFavour = ref
		case args[0] == "removing" && a.Removing == nil && deconfigures(a.Word):
			a.Removing = ref
		default:
			return false
		}
	}
	return len(args) == 0
}

func deconfigures(w Word) bool {
	return w == Deconfigure || w == AbortDeconfigure
}

// Known reports whether this is a call that dpkg makes. None is no call.
func (a Action) Known() bool {
	if a.rest != nil {
		return false
	}
	switch a.Word {
	case Install, Upgrade, Remove, Purge, Configure, Triggered, Deconfigure, FailedUpgrade,
		AbortInstall, AbortUpgrade, AbortRemove, AbortDeconfigure, Disappear:
		return true
	}
	return false
}

// String is the call for a message, in one line: its words, parted by a space, a
// word that holds control characters quoted.
func (a Action) String() string {
	if a.Word == None {
		return "no action"
	}
	words := slices.Concat([]string{string(a.Word)}, a.Versions, a.Triggers)
	if a.InFavour != nil {
		if a.Word != Disappear {
			words = append(words, "in-favour")
		}
		words = append(words, a.InFavour.Package, a.InFavour.Version)
	}
	if a.Removing != nil {
		words = append(words, "removing", a.Removing.Package, a.Removing.Version)
	}
	words = append(words, a.rest...)
	for i, word := range words {
		if quoted := strconv.Quote(word); strings.Contains(quoted, `\`) && quoted != `"`+word+`"` {
			words[i] = quoted
		}
	}
	return strings.Join(words, " ")
}

package debpkg

import (
	"slices"
	"strconv"
	"strings"
)

// Word is the first argument of a maintainer script (Policy 6.5).
type Word string

// The words of dpkg. None means that there is no maintainer script at all.
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

// Ref is another package of the same dpkg run.
type Ref struct{ Package, Version string }

// Action is the call of a maintainer script, with its arguments sorted by their meaning.
type Action struct {
	Word Word
	// Versions are the arguments that are versions: upgrade NEW, configure OLD, failed-upgrade
	// OLD NEW and so on.
	Versions []string
	// Triggers are the names of the triggers in a call of triggered.
	Triggers []string
	// InFavour is the package that replaces the caller: in-favour PACKAGE VERSION, or the
	// overwriter in a disappear.
	InFavour *Ref
	// Removing is the conflicting package that causes a deconfigure.
	Removing *Ref
	// Raw is the original text.
	Raw string
	// rest are the arguments of a call that deb-prerm(5) and the like do not define. Such an
	// action is not Known and has no other arguments.
	rest []string
}

// ParseAction parses DEB_MAINT_PARAMS, quoted for a shell or plain. A text that is not a call
// of dpkg results in an Action as well. It has the Word, and Known reports false. The Word of
// an empty text is None.
func ParseAction(params string) Action {
	words, ok := splitWords(params)
	if !ok {
		return Action{Word: Word(strings.TrimFunc(params, isBlank)), Raw: params}
	}
	action := newAction(words)
	action.Raw = params
	return action
}

// newAction sorts the arguments of a maintainer script by its word.
func newAction(words []string) Action {
	if len(words) > 1 && words[0] == "" {
		// An empty word with arguments is neither a call nor None.
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

// versions takes up to two versions. dpkg passes an empty one if there was no version before
// ("configure" of a first installation). It reports false for more arguments.
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

// triggers takes the argument of triggered, a list that is separated by spaces.
func (a *Action) triggers(args []string) {
	for _, names := range args {
		a.Triggers = append(a.Triggers, strings.FieldsFunc(names, isBlank)...)
	}
}

// others takes [in-favour PACKAGE VERSION] [removing PACKAGE VERSION]. It reports false for
// other arguments.
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

// Known reports whether this is a call that dpkg makes. None is not a call.
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

// String returns the call for a message, in one line: its words, separated by spaces. A word
// with control characters is quoted.
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

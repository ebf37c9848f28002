package hooks

import (
	"strings"

	"dkms-hooks/dkmsstate"
)

// LoadVerdict is whether an installed module is the one that is loaded when its kernel is started as
// the boot loader is configured and something asks for the module by its name.
type LoadVerdict string

// WillLoad and WillNotLoad are certain. CannotTell is everything else.
const (
	WillLoad    LoadVerdict = "loads"
	WillNotLoad LoadVerdict = "does not load"
	CannotTell  LoadVerdict = "cannot tell"
)

// LoadLink is one of the facts that decide whether a module is loaded.
type LoadLink struct {
	// Link is the name of the fact: one of the constants below.
	Link    string      `json:"link"`
	Verdict LoadVerdict `json:"verdict"`
	// Reason is one line.
	Reason string `json:"reason"`
	// Chosen reports whether the administrator, or the package of the module, chose that the
	// module is not loaded, and the configuration does not require it. Nothing is wrong then.
	Chosen bool `json:"chosen,omitempty"`
}

// The facts, in the order in which they decide.
const (
	LinkInstalled = "installed"
	LinkFile      = "file"
	LinkSignature = "signature"
	LinkInitramfs = "initramfs"
)

// LoadView is the verdict about a module on a kernel.
type LoadView struct {
	Verdict LoadVerdict `json:"verdict"`
	// Reason is that of the fact that decides, "" if the module loads.
	Reason string `json:"reason,omitempty"`
	// Chosen is that of the fact that decides.
	Chosen bool       `json:"chosen,omitempty"`
	Links  []LoadLink `json:"links"`
}

// newLoadView returns the verdict that follows from facts. What is certain that the module is not
// loaded for comes before what cannot be told.
func newLoadView(links []LoadLink) LoadView {
	v := LoadView{Links: links}
	for _, wanted := range []LoadVerdict{WillNotLoad, CannotTell} {
		for _, l := range links {
			if l.Verdict == wanted {
				v.Verdict, v.Reason, v.Chosen = l.Verdict, l.Reason, l.Chosen
				return v
			}
		}
	}
	v.Verdict = WillLoad
	return v
}

// loadView returns the verdict about a registered module, nil if it is neither wanted on the
// kernel nor there, or if the kernel cannot be started.
func (k kernelAssessor) loadView(r dkmsstate.Registration, wanted bool) *LoadView {
	if !k.s.There || !k.startable() || k.ignored(r.Module) || !wanted && !k.s.InOrder(r.Module) {
		return nil
	}
	v := k.load(r.Module)
	return &v
}

// load returns the verdict about a module that is wanted on the kernel. It is asked again where
// other modules need this one.
func (k kernelAssessor) load(m dkmsstate.Module) LoadView {
	if v, known := k.loads[m]; known {
		return v
	}
	links := []LoadLink{k.installedLink(m)}
	if k.s.InOrder(m) {
		k.loads[m] = newLoadView(links) // modules that need each other
		links = append(links, k.fileLink(m), k.signatureLink(m), k.initramfsLink(m))
	}
	for i := range links {
		links[i].Reason = inOneLine(links[i].Reason)
		links[i].Chosen = links[i].Chosen && !k.requires(m.Name)
	}
	v := newLoadView(links)
	k.loads[m] = v
	return v
}

// Text returns the verdict in one line.
func (v LoadView) Text() string { return strings.TrimSuffix(string(v.Verdict)+": "+v.Reason, ": ") }

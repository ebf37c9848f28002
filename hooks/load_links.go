package hooks

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/dkmsstate/signing"
)

// installedLink answers whether a module is installed in a build that the kernel accepts.
func (k kernelAssessor) installedLink(m dkmsstate.Module) LoadLink {
	b, _ := k.s.Build(m, k.s.Arch)
	l := LoadLink{Link: LinkInstalled, Verdict: CannotTell}
	switch {
	case k.work.active():
		l.Reason = "a run of dkms-hooks is active"
	case !k.s.InOrder(m):
		l.Reason = "it is not installed as it was built"
		if !k.mayHave(m) {
			l.Verdict, l.Reason = WillNotLoad, "it is not installed"
		}
		if f, wrong := k.judge(m); wrong {
			l.Reason += ": " + f.Reason
		}
	case b.Fresh.Rejected:
		l.Verdict, l.Reason = WillNotLoad, b.Fresh.Reason
	case b.Fresh.Verdict == dkmsstate.Fresh:
		if l.Reason = k.imageDoubt(); l.Reason == "" {
			l.Verdict, l.Reason = WillLoad, "it is installed and fits the kernel"
		}
	default:
		l.Reason = fmt.Sprintf("whether it fits the kernel is not certain: %s", b.Fresh.Reason)
	}
	return l
}

// readImageDoubt returns why the image may not be that to which the modules of the kernel belong: it
// is none, or it is another build than that of the headers. It returns "" if nothing is known.
func (k kernelAssessor) readImageDoubt() string {
	image, err := bootloader.ImageBuild(k.s.Layout, k.s.Kernel)
	if err != nil {
		return inOneLine(err.Error())
	}
	text, _ := regular.ReadAtMost(filepath.Join(k.s.Layout.HeadersDir(k.s.Kernel), "include/generated/utsversion.h"), maxConfig)
	_, quoted, _ := strings.Cut(string(text), `"`)
	headers, _, _ := strings.Cut(quoted, `"`)
	if image == "" || headers == "" || image == headers {
		return ""
	}
	return fmt.Sprintf("the image is build %q, and the headers are of build %q", image, headers)
}

// mayHave reports whether the kernel may have a module of a name that the module's files have: one
// of its own, or a file whose build is gone.
func (k kernelAssessor) mayHave(m dkmsstate.Module) bool {
	r, _ := k.s.Registration(m)
	b, _ := k.s.Build(m, k.s.Arch)
	return k.s.MayHave(slices.Concat(r.Conf.Names, b.Names(), []string{m.Name})...)
}

// fileLink answers whether modprobe takes the installed files, and whether what they need is there.
func (k kernelAssessor) fileLink(m dkmsstate.Module) LoadLink {
	b, _ := k.s.Build(m, k.s.Arch)
	l := LoadLink{Link: LinkFile, Verdict: WillLoad, Reason: "modprobe takes the installed file"}
	if k.planned.Depmod != "" {
		return LoadLink{Link: LinkFile, Verdict: CannotTell, Reason: "modules.dep is out of date: " + k.planned.Depmod}
	}
	for _, sh := range k.s.ShadowsOf(b) {
		if sh.Certain {
			return LoadLink{Link: LinkFile, Verdict: WillNotLoad, Reason: shadowText(k.s, sh), Chosen: sh.Line.Local() || sh.Absent}
		}
		l.Verdict, l.Reason = CannotTell, shadowText(k.s, sh)
	}
	if line, disabled := k.disabled(); disabled {
		l.Verdict, l.Reason = CannotTell, fmt.Sprintf("it has to be loaded before %s ends the loading of modules", line)
	}
	if k.signing().LoadsNone() {
		l.Verdict, l.Reason = CannotTell, "sysctl.kernel.modules_disabled on the command line ends the loading of modules"
	}
	for _, f := range b.Files {
		if k.compiledIn()[modprobe.ModuleName(f.Name)] {
			return LoadLink{Link: LinkFile, Verdict: WillNotLoad, Reason: compiledInText(f)}
		}
		if stops := k.stopped(modprobe.ModuleName(f.Name)); stops.Verdict != "" {
			return stops
		}
		if needs := k.needs(m, f); needs.Verdict != "" && l.Verdict == WillLoad {
			l = needs
		}
	}
	return l
}

// compiledInText describes a file of a module that the image of the kernel contains.
func compiledInText(f dkmsstate.File) string {
	return fmt.Sprintf("the kernel has %s built in, and modprobe loads no file of that name", kmod.TrimSuffix(f.Name))
}

// stopped answers for a module that the configuration of modprobe or the kernel's command line keeps
// from loading.
func (k kernelAssessor) stopped(name string) LoadLink {
	l := LoadLink{Link: LinkFile, Verdict: WillNotLoad, Chosen: true}
	if line, ok := k.rules().Command(name); ok {
		if !line.Nothing() { // such a command may load the module itself
			l.Verdict, l.Chosen = CannotTell, false
		}
		l.Reason = fmt.Sprintf("modprobe runs a command and does not load %s, because of %s", name, line)
		return l
	}
	if line, ok := k.rules().Aliased(name); ok { // the other module may need this one
		return LoadLink{Link: LinkFile, Verdict: CannotTell, Reason: fmt.Sprintf("modprobe loads another module by the name %s, because of %s", name, line)}
	}
	if k.signing().Blacklists(name) {
		l.Reason = fmt.Sprintf("the kernel refuses %s, because of module_blacklist on its command line", name)
		return l
	}
	return LoadLink{}
}

// needs answers for a file that needs other modules, if one of them is missing, is not loaded, or does
// not fit.
func (k kernelAssessor) needs(m dkmsstate.Module, f dkmsstate.File) LoadLink {
	paths, listed := k.s.Dep.Needs(f.Path())
	if !listed && f.Copy != kmod.CopyMissing {
		return LoadLink{Link: LinkFile, Verdict: CannotTell, Reason: "modules.dep does not list " + f.Path()}
	}
	for _, needed := range paths {
		if l := k.need(m, f, needed); l.Verdict != "" {
			return l
		}
	}
	if k.s.Dep.Incomplete {
		return k.depends(append([]string{f.Path()}, paths...))
	}
	return LoadLink{}
}

// depends answers for a file and those that it needs by modules.dep, if one of them was built to use
// a module that is not among them. depmod leaves out what it does not find.
func (k kernelAssessor) depends(files []string) LoadLink {
	l := LoadLink{Link: LinkFile, Verdict: CannotTell}
	there := map[string]bool{}
	for _, file := range files {
		there[modprobe.ModuleName(file)] = true
	}
	for _, file := range files {
		ko, err := k.s.Layout.Reader.Read(k.ctx, k.s.Layout.PlaceDir(k.s.Kernel, file))
		if err != nil {
			l.Reason = inOneLine(err.Error())
			return l
		}
		for _, name := range ko.Depends {
			if name = modprobe.ModuleName(name); !there[name] && !k.compiledIn()[name] {
				l.Reason = fmt.Sprintf("%s was built to use the module %s, which modules.dep does not name among what it needs", path.Base(file), name)
				return l
			}
		}
	}
	return LoadLink{}
}

// need answers for one module that a file needs.
func (k kernelAssessor) need(m dkmsstate.Module, f dkmsstate.File, needed string) LoadLink {
	l := LoadLink{Link: LinkFile, Verdict: CannotTell}
	of, ours := k.providerOf(needed)
	stops := k.stopped(modprobe.ModuleName(needed))
	switch {
	case !k.s.ModuleThere(needed):
		l.Verdict, l.Reason = WillNotLoad, fmt.Sprintf("it needs %s, which does not exist", k.s.ModulePath(needed))
	case stops.Verdict != "":
		l.Verdict, l.Chosen, l.Reason = stops.Verdict, stops.Chosen, fmt.Sprintf("it needs %s: %s", path.Base(needed), stops.Reason)
	case ours && of == m:
		return LoadLink{}
	case ours:
		if v := k.load(of); v.Verdict != WillLoad {
			l.Verdict, l.Chosen, l.Reason = v.Verdict, v.Chosen, fmt.Sprintf("it needs %s: %s", path.Base(needed), v.Text())
			return l
		}
		return k.fits(f, needed)
	case k.s.ModuleEmpty(needed):
		l.Verdict, l.Reason = WillNotLoad, fmt.Sprintf("it needs %s, which is empty", k.s.ModulePath(needed))
	case !strings.HasPrefix(needed, "kernel/"):
		l.Reason = fmt.Sprintf("it needs %s, which is neither the kernel's own nor of dkms", k.s.ModulePath(needed))
	default:
		return LoadLink{}
	}
	return l
}

// fits answers for a file that uses symbols of another module of dkms: the record of a build does not
// show that the other one was built again.
func (k kernelAssessor) fits(f dkmsstate.File, needed string) LoadLink {
	l := LoadLink{Link: LinkFile, Verdict: CannotTell}
	ko, err := k.s.Layout.Reader.Read(k.ctx, k.s.Layout.InstalledFile(k.s.Kernel, f))
	provider, providerErr := k.s.Layout.Reader.Read(k.ctx, k.s.Layout.PlaceDir(k.s.Kernel, needed))
	symbol := kmod.CRCMismatch(ko.Uses, provider.Exports)
	switch {
	case err != nil || providerErr != nil:
		l.Reason = fmt.Sprintf("whether it fits %s cannot be determined", path.Base(needed))
	case symbol != "":
		l.Verdict, l.Reason = WillNotLoad, fmt.Sprintf("it was built for another %s: symbol %s differs", path.Base(needed), symbol)
	case len(ko.Uses) == 0 && k.newer(needed, f.Path()):
		l.Reason = fmt.Sprintf("%s was built again after it", path.Base(needed))
	default:
		return LoadLink{}
	}
	return l
}

// newer reports whether an installed file was written after another one.
func (k kernelAssessor) newer(file, than string) bool {
	a, err := os.Stat(k.s.Layout.PlaceDir(k.s.Kernel, file))
	b, otherErr := os.Stat(k.s.Layout.PlaceDir(k.s.Kernel, than))
	return err != nil || otherErr != nil || a.ModTime().After(b.ModTime())
}

// providerOf returns the module of dkms that an installed file belongs to.
func (k kernelAssessor) providerOf(file string) (dkmsstate.Module, bool) {
	for _, b := range k.s.Builds {
		if k.s.Linked(b) && slices.ContainsFunc(b.Files, func(f dkmsstate.File) bool { return f.Path() == file }) {
			return b.Module, true
		}
	}
	return dkmsstate.Module{}, false
}

// signatureLink answers whether the kernel accepts the signature of the installed files.
func (k kernelAssessor) signatureLink(m dkmsstate.Module) LoadLink {
	a := k.signature(m)
	l := LoadLink{Link: LinkSignature, Verdict: CannotTell, Reason: a.Reason}
	switch a.Verdict {
	case signing.Loads:
		l.Verdict = WillLoad
	case signing.Refused:
		l.Verdict = WillNotLoad
	}
	return l
}

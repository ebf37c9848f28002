package dkmsstate

import (
	"context"
	"path/filepath"
	"slices"
	"sync"

	"dkms-hooks/dkmsstate/kmod"
)

// examination is one look at the builds of one kernel.
type examination struct {
	ctx context.Context
	s   *Snapshot
	*kernelFacts
}

// kernelFacts is what builds are compared with. What takes its time is read at most
// once, and only when it is asked for.
type kernelFacts struct {
	// stamps name the state of the files behind it.
	stamps  string
	origin  func() Origin
	own     func() []kmod.Module
	sample  func() []string
	symvers func() map[string]kmod.Export
}

// Examine finds whether the headers are those of the kernel's image and whether
// each build still fits, and puts both into the snapshot. It returns what to keep of
// that for the next time. What has not changed since rec was kept is not read again,
// and what was built and verified just now, by this run, is as fresh as it can be.
func (s *Snapshot) Examine(ctx context.Context, rec KernelRecord, built ...Module) KernelRecord {
	s.presume(rec.Answers)
	s.findInputs(rec)
	x := s.examine(ctx)
	s.Mismatch = rec.Mismatch
	compared := x.comparedStamps()
	if rec.Stamps != compared {
		s.Mismatch = x.mismatch()
	}
	rec.Stamps, rec.Mismatch = compared, s.Mismatch
	found, fresh := make([]*BuildRecord, len(s.Builds)), make([]Freshness, len(s.Builds))
	sideBySide(len(s.Builds), func(i int) {
		if b := s.Builds[i]; b.Arch == s.Arch && b.Complete() {
			fresh[i], found[i] = x.build(b, rec, slices.Contains(built, b.Module))
		}
	})
	rec.Builds = map[string]BuildRecord{}
	for i, b := range s.Builds {
		s.Builds[i].Fresh = fresh[i]
		if found[i] != nil {
			rec.Builds[b.key()] = *found[i]
		}
	}
	rec.Origins = rec.usedOrigins(x)
	rec.Dep = s.Dep.DepRecord
	return rec
}

// build finds whether one build fits, and gives what to keep of it, nil for nothing.
func (x examination) build(b Build, rec KernelRecord, justBuilt bool) (Freshness, *BuildRecord) {
	known, ok := rec.Builds[b.key()]
	known, ok = x.identify(b, known, ok)
	fresh := Freshness{Fresh, "it was just built"}
	byOwner := false
	if !justBuilt {
		fresh = x.judge(b, known, rec.Origins[known.From], ok)
		byOwner = fresh.Verdict == Stale && x.installedFits(b)
	}
	if byOwner {
		for i := range b.Files {
			b.Files[i].OtherABI = false // it is the build that is for another one
		}
		fresh = Freshness{Fresh, "the installed module, which is not the one that was built, has the symbols of the kernel"}
	} else if fresh.Verdict == Fresh && !(ok && known.Kernel == x.stamps) {
		known.Kernel, known.From, ok = x.stamps, x.origin().id(), true
	}
	if !ok {
		return fresh, nil
	}
	b.Fresh = fresh
	if justBuilt && x.ownInstall(b) {
		known.Absent = b.missing()
	}
	known = known.withCopies(b)
	return fresh, &known
}

// ownInstall reports whether dkms runs scripts of the module when it installs it.
func (x examination) ownInstall(b Build) bool {
	r, _ := x.s.Registration(b.Module)
	return r.Conf.InstallSteps
}

// missing returns the files of a build that are not installed.
func (b Build) missing() []string {
	var names []string
	for _, f := range b.Files {
		if f.Copy == kmod.CopyMissing {
			names = append(names, f.Name)
		}
	}
	return names
}

// installedFits reports whether what is installed in the place of a build that does not
// fit was put there by the owner, and does.
func (x examination) installedFits(b Build) bool {
	var modules []kmod.Module
	altered := false
	for _, f := range b.Files {
		altered = altered || f.Copy == kmod.CopyAltered
		ko, err := x.s.Layout.reader.Read(x.ctx, filepath.Join(x.s.Layout.installDir(x.s.Kernel), f.Installed))
		if err != nil || len(ko.Uses) == 0 || x.vermagicMismatch(ko) != "" {
			return false
		}
		modules = append(modules, ko)
	}
	return altered && x.judgeSymbols(b, modules).Verdict == Fresh
}

func (s *Snapshot) examine(ctx context.Context) examination {
	x := examination{ctx: ctx, s: s, kernelFacts: s.facts}
	stamps := stampFiles(s.Layout.originFiles(s.Kernel)...)
	if x.kernelFacts == nil || x.stamps != stamps {
		sample := sync.OnceValue(s.ownSamples)
		x.kernelFacts = &kernelFacts{stamps: stamps,
			origin:  sync.OnceValue(func() Origin { return s.Layout.readOrigin(s.Kernel) }),
			sample:  sample,
			own:     sync.OnceValue(func() []kmod.Module { return s.Layout.readOwn(ctx, sample()) }),
			symvers: sync.OnceValue(func() map[string]kmod.Export { return s.readSymvers() }),
		}
		s.facts = x.kernelFacts
	}
	return x
}

// comparedStamps names the state of all files that the headers are compared with the
// image by: a verdict does not outlive any of them.
func (x examination) comparedStamps() string {
	if !x.s.Headers || !x.s.There {
		return "" // nothing is compared
	}
	return x.stamps + " " + stampFiles(x.sample()...)
}

// Again looks once more, as after a run; what the kernel says of itself is not read
// again while its files are the same.
func (s Snapshot) Again(kept KernelRecord) (Snapshot, error) {
	after, err := ReadSnapshot(s.Layout, s.Kernel, s.Arch, kept)
	after.facts, after.Forced = s.facts, s.Forced
	return after, err
}

// identify reports whether a record is that of the build as it is now, and gives the
// record with the build's present stamp.
func (x examination) identify(b Build, known BuildRecord, ok bool) (BuildRecord, bool) {
	if ok && known.Stamp == b.stamp {
		return known, true
	}
	sum := sumFiles(x.s.Layout.builtFiles(x.s.Kernel, b)...)
	ok = ok && known.Sum == sum
	if !ok {
		known = BuildRecord{Sum: sum}
	}
	known.Stamp = b.stamp
	return known, ok
}

func (b Build) key() string { return b.Module.String() + " " + b.Arch }

// builtFiles returns the paths of a build's modules.
func (l Layout) builtFiles(kernel Release, b Build) []string {
	var paths []string
	for _, f := range b.Files {
		paths = append(paths, filepath.Join(l.buildDir(b.Module, kernel, b.Arch), "module", f.Name))
	}
	return paths
}

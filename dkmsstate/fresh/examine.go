package fresh

import (
	"context"
	"slices"
	"sync"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

// Examination examines the builds of one kernel.
type Examination struct {
	ctx context.Context
	s   *dkmsstate.Snapshot
	*dkmsstate.KernelFacts
}

// Examine determines whether the headers are those of the kernel's image and whether each build
// still fits, and stores both in the snapshot. It returns what to keep of that for the next
// time. Files that have not changed since rec was kept are not read again. The modules in built
// were built and verified by this run, and count as fresh.
func Examine(ctx context.Context, s *dkmsstate.Snapshot, rec dkmsstate.KernelRecord, built ...dkmsstate.Module) dkmsstate.KernelRecord {
	s.UseAnswers(rec.Answers)
	s.FindInputs(rec)
	x := NewExamination(ctx, s)
	s.Mismatch = rec.Mismatch
	compared := x.comparedStamps()
	if rec.Stamps != compared {
		s.Mismatch = x.mismatch()
	}
	rec.Stamps, rec.Mismatch = compared, s.Mismatch
	found, fresh := make([]*dkmsstate.BuildRecord, len(s.Builds)), make([]dkmsstate.Freshness, len(s.Builds))
	dkmsstate.SideBySide(len(s.Builds), func(i int) {
		if b := s.Builds[i]; b.Arch == s.Arch && b.Complete() {
			fresh[i], found[i] = x.build(b, rec, slices.Contains(built, b.Module))
		}
	})
	rec.Builds = map[string]dkmsstate.BuildRecord{}
	for i, b := range s.Builds {
		s.Builds[i].Fresh = fresh[i]
		if found[i] != nil {
			rec.Builds[b.Key()] = *found[i]
		}
	}
	rec.Origins = usedOrigins(rec, x)
	rec.Dep = s.Dep.DepRecord
	return rec
}

// build determines whether one build fits. It returns the record to keep of the build, or nil
// for none.
func (x Examination) build(b dkmsstate.Build, rec dkmsstate.KernelRecord, justBuilt bool) (dkmsstate.Freshness, *dkmsstate.BuildRecord) {
	known, ok := rec.Builds[b.Key()]
	known, ok = x.identify(b, known, ok)
	fresh := dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "it was just built"}
	byOwner := false
	if !justBuilt {
		fresh = x.judge(b, known, rec.Origins[known.From], ok)
		byOwner = fresh.Verdict == dkmsstate.Stale && x.installedFits(b)
	}
	if byOwner {
		for i := range b.Files {
			b.Files[i].OtherABI = false // the build is for another ABI, not the installed file
		}
		fresh = dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "the installed module is not the built one, and its symbol versions match"}
	} else if fresh.Verdict == dkmsstate.Fresh && !(ok && known.Kernel == x.Stamps) {
		known.Kernel, known.From, ok = x.Stamps, x.Origin().ID(), true
	}
	if !ok {
		return fresh, nil
	}
	b.Fresh = fresh
	if justBuilt && x.ownInstall(b) {
		known.Absent = b.Missing()
	}
	known = withCopies(known, b)
	return fresh, &known
}

// ownInstall reports whether dkms runs scripts of the module when it installs it.
func (x Examination) ownInstall(b dkmsstate.Build) bool {
	r, _ := x.s.Registration(b.Module)
	return r.Conf.InstallSteps
}

// installedFits reports whether the installed files of a stale build were put there by the
// owner and fit the kernel.
func (x Examination) installedFits(b dkmsstate.Build) bool {
	var modules []kmod.Module
	altered := false
	for _, f := range b.Files {
		altered = altered || f.Copy == kmod.CopyAltered
		ko, err := x.s.Layout.Reader.Read(x.ctx, x.s.Layout.InstalledFile(x.s.Kernel, f))
		if err != nil || len(ko.Uses) == 0 || x.vermagicMismatch(ko) != "" {
			return false
		}
		modules = append(modules, ko)
	}
	return altered && x.judgeSymbols(b, modules).Verdict == dkmsstate.Fresh
}

func NewExamination(ctx context.Context, s *dkmsstate.Snapshot) Examination {
	x := Examination{ctx: ctx, s: s, KernelFacts: s.Facts}
	stamps := dkmsstate.StampFiles(s.Layout.OriginFiles(s.Kernel)...)
	if x.KernelFacts == nil || x.Stamps != stamps {
		sample := sync.OnceValue(func() []string { return ownSamples(*s) })
		x.KernelFacts = &dkmsstate.KernelFacts{Stamps: stamps,
			Origin:  sync.OnceValue(func() dkmsstate.Origin { return readOrigin(s.Layout, s.Kernel) }),
			Sample:  sample,
			Own:     sync.OnceValue(func() []kmod.Module { return readOwn(ctx, s.Layout, sample()) }),
			Symvers: sync.OnceValue(func() map[string]kmod.Export { return readSymvers(*s) }),
		}
		s.Facts = x.KernelFacts
	}
	return x
}

// comparedStamps identifies the state of all files by which the headers are compared with the
// image. The result of the comparison is discarded when one of them changes.
func (x Examination) comparedStamps() string {
	if !x.s.Headers || !x.s.There {
		return "" // nothing is compared
	}
	return x.Stamps + " " + dkmsstate.StampFiles(x.Sample()...)
}

// identify reports whether a record is that of the build as it is now. It returns the record
// with the build's present stamp.
func (x Examination) identify(b dkmsstate.Build, known dkmsstate.BuildRecord, ok bool) (dkmsstate.BuildRecord, bool) {
	if ok && known.Stamp == b.Stamp {
		return known, true
	}
	sum := sumFiles(x.s.Layout.BuiltFiles(x.s.Kernel, b)...)
	ok = ok && known.Sum == sum
	if !ok {
		known = dkmsstate.BuildRecord{Sum: sum}
	}
	known.Stamp = b.Stamp
	return known, ok
}

// withCopies returns the record with the installed files of a build, which are not read again
// while they stay the same.
func withCopies(b dkmsstate.BuildRecord, build dkmsstate.Build) dkmsstate.BuildRecord {
	b.Installed, b.Differing = "", nil
	if build.Problem() != "" || !build.AllInstalled() {
		return b
	}
	b.Installed = build.Installed
	for _, f := range build.Files {
		if f.Copy != kmod.CopySame {
			if b.Differing == nil {
				b.Differing = map[string]dkmsstate.FileRecord{}
			}
			b.Differing[f.Name] = dkmsstate.FileRecord{Installed: f.Installed, Copy: f.Copy, Reason: f.Reason, OtherABI: f.OtherABI, Whose: f.Whose}
		}
	}
	return b
}

// usedOrigins returns the origins that builds of the record refer to.
func usedOrigins(k dkmsstate.KernelRecord, x Examination) map[string]dkmsstate.Origin {
	used := map[string]dkmsstate.Origin{}
	for _, b := range k.Builds {
		if b.From == "" {
			continue
		}
		if origin, known := k.Origins[b.From]; known {
			used[b.From] = origin
		} else if _, done := used[b.From]; !done {
			used[b.From] = x.Origin()
		}
	}
	return used
}

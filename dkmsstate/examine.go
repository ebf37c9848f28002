package dkmsstate

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
)

// examination is one look at the builds of one kernel.
type examination struct {
	ctx    context.Context
	s      *Snapshot
	stamps string
	// What takes its time is read at most once, and only when it is asked for.
	origin  func() Origin
	own     func() []Ko
	symvers func() map[string]uint32
}

// Examine finds whether the headers are those of the kernel's image and whether
// each build still fits, and puts both into the snapshot. It returns what to keep of
// that for the next time. What has not changed since rec was kept is not read again,
// and what was built and verified just now, by this run, is as fresh as it can be.
func (s *Snapshot) Examine(ctx context.Context, rec KernelRecord, built ...Module) KernelRecord {
	x := s.examine(ctx)
	s.Mismatch = rec.Mismatch
	if rec.Stamps != x.stamps {
		s.Mismatch = x.mismatch()
	}
	rec.Stamps, rec.Mismatch = x.stamps, s.Mismatch
	builds := map[string]BuildRecord{}
	for i, b := range s.Builds {
		if b.Arch != s.Arch || !b.Complete() {
			continue
		}
		known, ok := rec.Builds[b.key()]
		known, ok = x.identify(b, known, ok)
		f := Freshness{Fresh, "it was just built"}
		if !slices.Contains(built, b.Module) {
			f = x.judge(b, known, ok)
		}
		s.Builds[i].Fresh = f
		if f.Verdict == Fresh && !(ok && known.Kernel == x.stamps) {
			known.Kernel, known.Origin, ok = x.stamps, x.origin(), true
		}
		if ok {
			builds[b.key()] = known
		}
	}
	rec.Builds = builds
	return rec
}

func (s *Snapshot) examine(ctx context.Context) examination {
	x := examination{ctx: ctx, s: s, stamps: stampFiles(s.Layout.originFiles(s.Kernel)...)}
	x.origin = sync.OnceValue(func() Origin { return s.Layout.readOrigin(s.Kernel) })
	x.own = sync.OnceValue(x.readOwn)
	x.symvers = sync.OnceValue(x.readSymvers)
	return x
}

// identify says whether a record is that of the build as it is now, and gives the
// record with the build's present stamp.
func (x examination) identify(b Build, known BuildRecord, ok bool) (BuildRecord, bool) {
	files := x.s.Layout.builtFiles(x.s.Kernel, b)
	stamp := stampFiles(files...)
	if ok && known.Stamp == stamp {
		return known, true
	}
	sum := sumFiles(files...)
	ok = ok && known.Sum == sum
	if !ok {
		known = BuildRecord{Sum: sum}
	}
	known.Stamp = stamp
	return known, ok
}

func (b Build) key() string { return b.Module.String() + " " + b.Arch }

// builtFiles gives the paths of a build's modules.
func (l Layout) builtFiles(kernel Release, b Build) []string {
	var paths []string
	for _, f := range b.Files {
		paths = append(paths, filepath.Join(l.buildDir(b.Module, kernel, b.Arch), "module", f.Name))
	}
	return paths
}

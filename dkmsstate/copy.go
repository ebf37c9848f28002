package dkmsstate

import (
	"path/filepath"

	"dkms-hooks/dkmsstate/kmod"
)

// CopyForeign means that the installed file was built by another DKMS module.
const CopyForeign kmod.Copy = "foreign"

// installedCopy returns the name of the installed file of a module: that of the built file, or
// that of a file which its owner compressed or decompressed.
func (s *Snapshot) installedCopy(b Build, f File) string {
	if s.isIn(f.Dir, f.Name) {
		return f.Name
	}
	for _, variant := range kmod.FileNames(kmod.TrimSuffix(f.Name)) {
		if s.isIn(f.Dir, variant) && !b.Has(variant) {
			return variant
		}
	}
	return f.Name
}

// compareFile compares a file of a build with the installed one. It also finds other installed
// files of the same module that are certainly superfluous.
func (s *Snapshot) compareFile(b Build, built string, f File) File {
	if f.Dir == "" {
		f.Copy = kmod.CopyMissing
		return f
	}
	place := s.Layout.PlaceDir(s.Kernel, f.Dir)
	f.Installed = s.installedCopy(b, f)
	f.set(s.Layout.Reader.Compare(built, filepath.Join(place, f.Installed)))
	if f.Copy != kmod.CopySame && f.Copy != kmod.CopyMissing && s.ofKernel(f) {
		f.set(kmod.Comparison{Copy: kmod.CopyMissing})
		f.Overwritten = true
	}
	if f.Copy == kmod.CopyMissing {
		f.Installed = f.Name
		return f
	}
	for _, variant := range kmod.FileNames(kmod.TrimSuffix(f.Name)) {
		if variant == f.Installed || !s.isIn(f.Dir, variant) || b.Has(variant) {
			continue
		}
		if c := s.Layout.Reader.Compare(filepath.Join(place, f.Installed), filepath.Join(place, variant)); c.Superfluous() {
			f.OtherCompressions = append(f.OtherCompressions, variant)
		}
	}
	return f
}

func (f *File) set(c kmod.Comparison) { f.Copy, f.Reason, f.OtherABI = c.Copy, c.Reason, c.OtherABI }

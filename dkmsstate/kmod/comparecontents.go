package kmod

import (
	"errors"
	"fmt"
)

// compareContents compares the uncompressed contents of two files whose bytes differ. An
// installed file that cannot be examined is left to its owner as CopyAltered.
func (r *Reader) compareContents(built, installed string) (result Comparison) {
	err := r.inTurn(func(m memory) (err error) {
		result, err = m.compareContents(built, installed)
		return err
	})
	if err != nil {
		return Comparison{Copy: CopyAltered, Reason: err.Error()}
	}
	return result
}

// compareContents compares the contents within the memory limit m. The error says which file
// cannot be read. It is errMuch if more memory is needed.
func (m memory) compareContents(built, installed string) (Comparison, error) {
	its, theirs, err := m.read(installed)
	switch {
	case errors.Is(err, ErrDamaged):
		return Comparison{Copy: CopyDamaged, Reason: err.Error()}, nil
	case errors.Is(err, ErrNoModule):
		return Comparison{Copy: CopyDamaged, Reason: "is " + err.Error()}, nil
	case err != nil:
		return Comparison{}, fmt.Errorf("cannot be compared: %w", err)
	}
	defer its.close()
	ours, mine, err := m.read(built)
	if err != nil {
		return Comparison{}, fmt.Errorf("cannot be compared with the built file: %w", err)
	}
	defer ours.close()
	return compareModules(pair{its, ours}, theirs, mine)
}

// pair holds the contents of an installed module (its) and of the built one (ours).
type pair struct{ its, ours *contents }

// compareModules compares two modules that differ at least in their compression.
func compareModules(p pair, theirs, mine Module) (Comparison, error) {
	same, err := p.commonStarts()
	switch {
	case err != nil:
		return Comparison{}, err
	case same.whole:
		return Comparison{Copy: CopyAltered, Compressed: true, Reason: "is compressed differently than the built file"}, nil
	case same.cutShort && !theirs.Signed:
		return Comparison{Copy: CopyDamaged, Reason: "is truncated"}, nil
	case theirs.machine != mine.machine:
		return Comparison{Copy: CopyDamaged, Reason: "is a module for another architecture"}, nil
	case theirs.name != mine.name:
		return Comparison{Copy: CopyDamaged, Reason: fmt.Sprintf("is another module, %s", theirs.name)}, nil
	case theirs.release() != mine.release():
		return Comparison{Copy: CopyDamaged, Reason: fmt.Sprintf("is a module for another kernel, %s", theirs.release())}, nil
	case otherLayout(theirs, mine):
		return Comparison{Copy: CopyAltered, OtherABI: true, Reason: "was built for another ABI of this kernel"}, nil
	case same.unsigned:
		return Comparison{Copy: CopyAltered, Reason: "has a different signature than the built file"}, nil
	}
	switch code, err := p.sameCode(); {
	case err != nil:
		return Comparison{}, err
	case code:
		return Comparison{Copy: CopyAltered, Reason: "was stripped or signed after it was built"}, nil
	}
	return Comparison{Copy: CopyAltered, Reason: "has different contents than the built file"}, nil
}

// otherLayout reports whether two modules have different CRCs of module_layout, so that no
// kernel accepts both. Every module uses this symbol of vmlinux. Other symbols may come from
// modules that replace the kernel's own.
func otherLayout(a, b Module) bool {
	return len(a.Uses) > 0 && len(b.Uses) > 0 && a.Uses[ModuleLayout] != b.Uses[ModuleLayout]
}

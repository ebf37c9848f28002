package kmod

import (
	"errors"
	"fmt"
)

// compareContents compares two files whose bytes differ by what they hold once they are
// decompressed. What cannot be told leaves the installed file to its owner.
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

// compareContents is that of Reader. The error says which file cannot be read; it is errMuch
// where it takes more memory.
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
		return Comparison{}, fmt.Errorf("cannot be compared with what was built: %w", err)
	}
	defer ours.close()
	return compareModules(pair{its, ours}, theirs, mine)
}

// pair are the contents of an installed module and of the built one.
type pair struct{ its, ours *contents }

// compareModules compares two modules that differ at least in their compression.
func compareModules(p pair, theirs, mine Module) (Comparison, error) {
	same, err := p.commonStarts()
	switch {
	case err != nil:
		return Comparison{}, err
	case same.whole:
		return Comparison{Copy: CopyAltered, Compressed: true, Reason: "is compressed in another way than what was built"}, nil
	case same.cutShort && !theirs.Signed:
		return Comparison{Copy: CopyDamaged, Reason: "is cut short"}, nil
	case theirs.machine != mine.machine:
		return Comparison{Copy: CopyDamaged, Reason: "is a module for another architecture"}, nil
	case theirs.name != mine.name:
		return Comparison{Copy: CopyDamaged, Reason: fmt.Sprintf("is another module, %s", theirs.name)}, nil
	case theirs.release() != mine.release():
		return Comparison{Copy: CopyDamaged, Reason: fmt.Sprintf("is a module for another kernel, %s", theirs.release())}, nil
	case otherLayout(theirs, mine):
		return Comparison{Copy: CopyAltered, OtherABI: true, Reason: "was built for another ABI of this kernel"}, nil
	case same.unsigned:
		return Comparison{Copy: CopyAltered, Reason: "has another signature than what was built"}, nil
	}
	switch code, err := p.sameCode(); {
	case err != nil:
		return Comparison{}, err
	case code:
		return Comparison{Copy: CopyAltered, Reason: "was stripped or signed after it was built"}, nil
	}
	return Comparison{Copy: CopyAltered, Reason: "has other contents than what was built"}, nil
}

// otherLayout reports whether two modules name another CRC of module_layout, the symbol of
// vmlinux that every module uses, so that no kernel takes both. Other symbols may come from
// modules that take the place of the kernel's.
func otherLayout(a, b Module) bool {
	return len(a.Uses) > 0 && len(b.Uses) > 0 && a.Uses[ModuleLayout] != b.Uses[ModuleLayout]
}

package kmod

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
)

// sameStarts are the beginnings that two modules have in common.
type sameStarts struct {
	// whole reports whether all is the same, and unsigned whether all before the signatures
	// is.
	whole, unsigned bool
	// cutShort reports whether the installed one is a beginning of the other and ends where
	// the other's signature does not begin.
	cutShort bool
}

// commonStarts compares beginnings of both modules by their sums: one after the other is
// read, so that only one is being decompressed.
func (p pair) commonStarts() (sameStarts, error) {
	its, ours, signed, built := p.its.size, p.ours.size, p.its.unsigned(), p.ours.unsigned()
	theirs, err := p.its.starts(its, signed)
	if err != nil {
		return sameStarts{}, fmt.Errorf("cannot be compared: %w", err)
	}
	mine, err := p.ours.starts(ours, built, its)
	if err != nil {
		return sameStarts{}, fmt.Errorf("cannot be compared with what was built: %w", err)
	}
	return sameStarts{
		whole:    its == ours && theirs[its] == mine[ours],
		unsigned: signed == built && theirs[signed] == mine[built],
		cutShort: its < ours && its != built && theirs[its] == mine[its],
	}, nil
}

// starts returns the sums of the beginnings of some sizes; those of one that is larger than
// the contents are of nothing.
func (c *contents) starts(sizes ...int64) (map[int64][sha256.Size]byte, error) {
	defer c.rest()
	sums, sum, at := map[int64][sha256.Size]byte{}, sha256.New(), int64(0)
	slices.Sort(sizes)
	for _, size := range sizes {
		if size > c.size {
			break
		}
		if _, err := io.Copy(sum, c.part(at, size-at)); err != nil {
			return nil, err
		}
		at = size
		sums[size] = [sha256.Size]byte(sum.Sum(nil))
	}
	return sums, nil
}

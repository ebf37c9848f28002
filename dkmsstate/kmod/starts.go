package kmod

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
)

// sameStarts reports which beginnings two modules have in common.
type sameStarts struct {
	// whole reports whether both are the same to their ends, and unsigned whether they are the
	// same up to their signatures.
	whole, unsigned bool
	// cutShort reports whether the installed module is a beginning of the built one, and does
	// not end just where the signature of the built one begins.
	cutShort bool
}

// commonStarts compares beginnings of both modules by their checksums. It reads one after the
// other, so that only one is being decompressed at a time.
func (p pair) commonStarts() (sameStarts, error) {
	its, ours, signed, built := p.its.size, p.ours.size, p.its.unsigned(), p.ours.unsigned()
	theirs, err := p.its.starts(its, signed)
	if err != nil {
		return sameStarts{}, fmt.Errorf("cannot be compared: %w", err)
	}
	mine, err := p.ours.starts(ours, built, its)
	if err != nil {
		return sameStarts{}, fmt.Errorf("cannot be compared with the built file: %w", err)
	}
	return sameStarts{
		whole:    its == ours && theirs[its] == mine[ours],
		unsigned: signed == built && theirs[signed] == mine[built],
		cutShort: its < ours && its != built && theirs[its] == mine[its],
	}, nil
}

// starts returns the checksums of the beginnings that have the given sizes. There is none for a
// size larger than the contents.
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

package kmod

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
)

// Identity identifies the contents of a module's file.
type Identity struct {
	// Sum is the checksum of the uncompressed contents, with their signature.
	Sum string `json:"sum"`
	// Code is the checksum of what the kernel loads of them, "" if that cannot be determined. A
	// stripped or signed copy has the same one.
	Code string `json:"code,omitempty"`
	// Signed reports whether the module ends with a signature.
	Signed bool `json:"signed,omitempty"`
}

// Identity returns the identity of a module's file, compressed or not.
func (r *Reader) Identity(ctx context.Context, path string) (id Identity, err error) {
	err = r.withContents(ctx, path, func(c *contents) error {
		id, err = c.identity()
		return err
	})
	if err != nil {
		return Identity{}, fmt.Errorf("cannot identify %s: %w", filepath.Base(path), err)
	}
	return id, nil
}

func (c *contents) identity() (Identity, error) {
	sums, err := c.starts(c.size)
	if err != nil {
		return Identity{}, err
	}
	sections, err := c.loaded()
	if err != nil {
		return Identity{}, err
	}
	whole := sums[c.size]
	id := Identity{Sum: hex.EncodeToString(whole[:]), Signed: c.endsWith(c.size, SignatureMark)}
	if len(sections) > 0 {
		code := sha256.New()
		for _, name := range slices.Sorted(maps.Keys(sections)) {
			sum := sections[name]
			fmt.Fprintf(code, "%q %x\n", name, sum)
		}
		id.Code = hex.EncodeToString(code.Sum(nil))
	}
	return id, c.failed
}

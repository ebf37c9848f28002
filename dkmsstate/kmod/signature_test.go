package kmod

import (
	"context"
	"crypto/sha256"
	"hash"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

func TestSignature(t *testing.T) {
	plain := kmodtest.Sample()
	plain.Signed = false
	unsigned := kmodtest.File(plain, "x")
	once := kmodtest.Sign(unsigned, "the first")
	twice := kmodtest.Sign(once, "the second")
	changed := func(from int, b byte) []byte {
		data := append([]byte{}, once...)
		data[len(data)-len(SignatureMark)-from] = b
		return data
	}
	digest := func(of []byte) []byte {
		sum := sha256.Sum256(of)
		return sum[:]
	}
	for name, c := range map[string]struct {
		data []byte
		want Signature
		err  error
	}{
		"not signed":          {unsigned, Signature{}, nil},
		"signed":              {once, Signature{[]byte("the first"), digest(unsigned)}, nil},
		"signed twice":        {twice, Signature{[]byte("the second"), digest(once)}, nil},
		"compressed":          {kmodtest.Gzip(once), Signature{[]byte("the first"), digest(unsigned)}, nil},
		"of another kind":     {changed(10, 1), Signature{}, ErrSignature},
		"longer than the all": {changed(3, 1), Signature{}, ErrSignature},
		"the mark alone":      {[]byte(SignatureMark), Signature{}, ErrSignature},
		"a broken gzip":       {kmodtest.Gzip(once)[:40], Signature{}, ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.ko")
			require.NoError(t, os.WriteFile(path, c.data, 0o644))
			got, err := NewReader().Signature(context.Background(), path, func([]byte) hash.Hash { return sha256.New() })
			assert.ErrorIs(t, err, c.err)
			assert.Equal(t, c.want, got)
			got, err = NewReader().Signature(context.Background(), path, func([]byte) hash.Hash { return nil })
			assert.ErrorIs(t, err, c.err)
			assert.Equal(t, Signature{Message: c.want.Message}, got)
		})
	}
}

package kmod_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

func TestIdentity(t *testing.T) {
	identify := func(data []byte) kmod.Identity {
		file := filepath.Join(t.TempDir(), "x.ko")
		require.NoError(t, os.WriteFile(file, data, 0o644))
		id, err := kmod.NewReader().Identity(context.Background(), file)
		require.NoError(t, err)
		return id
	}
	sample := kmodtest.Sample()
	sample.Signed = false
	module := kmodtest.File(sample, "note")
	own := identify(module)
	assert.NotEmpty(t, own.Sum)
	assert.NotEmpty(t, own.Code)
	assert.False(t, own.Signed)
	assert.Equal(t, own, identify(kmodtest.Gzip(module)), "the compression is no difference")

	signed := identify(kmodtest.Sign(module, "signature"))
	assert.NotEqual(t, own.Sum, signed.Sum)
	assert.Equal(t, own.Code, signed.Code)
	assert.True(t, signed.Signed)

	other := identify(kmodtest.File(sample, "another note"))
	assert.NotEqual(t, own.Sum, other.Sum)

	text := identify([]byte("no module"))
	assert.NotEmpty(t, text.Sum)
	assert.Empty(t, text.Code)

	_, err := kmod.NewReader().Identity(context.Background(), filepath.Join(t.TempDir(), "none.ko"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

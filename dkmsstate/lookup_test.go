package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVersionsAreOrderedAsDkmsOrdersThem(t *testing.T) {
	for _, pair := range [][2]string{{"9", "10"}, {"1.9", "1.10"}, {"1.0", "1.0a"}, {"0.13.2", "0.15.0"}, {"535.99", "535.183"}} {
		assert.True(t, versionLess(pair[0], pair[1]), pair)
		assert.False(t, versionLess(pair[1], pair[0]), pair)
	}
}

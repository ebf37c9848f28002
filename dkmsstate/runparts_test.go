package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRunPartsName(t *testing.T) {
	for name, want := range map[string]bool{
		"dkms": true, "zz-dkms_2": true, "Z": true, "": false, ".": false, "dkms.stock": false, "dkms.dpkg-old": false, "a b": false, "ä": false, "a.b-c": false,
	} {
		assert.Equal(t, want, RunPartsName(name), name)
	}
}

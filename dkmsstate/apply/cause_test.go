package apply

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
)

func TestReadCause(t *testing.T) {
	for log, want := range map[string]dkmsstate.Cause{
		"/x/one.c:3:2: error: implicit declaration of function 'f'\nmake[1]: *** [one.o] Error 1":                    dkmsstate.CauseCompiler,
		"  CC [M]  /x/one.o\n/x/one.c:4: error: too few arguments":                                                   dkmsstate.CauseCompiler,
		"ERROR: modpost: \"gone\" [/x/one.ko] undefined!":                                                            dkmsstate.CauseOther,
		"/x/one.c:3:10: fatal error: openssl/opensslv.h: No such file or directory":                                  dkmsstate.CauseOther,
		"/x/one.c:3:2: error: f\n/bin/sh: 1: bc: not found\nmake: *** Error 127":                                     dkmsstate.CauseOther,
		"make: flex: No such file or directory":                                                                      dkmsstate.CauseOther,
		"/x/one.c:3:2: error: f\ngcc: fatal error: Killed signal terminated program cc1":                             dkmsstate.CauseOther,
		"/x/one.c:3:2: internal compiler error: Segmentation fault":                                                  dkmsstate.CauseOther,
		"/x/one.c:3:2: error: f\n/x/two.c:1:1: error: unable to open output file 'two.o': 'No space left on device'": dkmsstate.CauseOther,
		"Makefile:713: cannot find the tool":                                                                         dkmsstate.CauseOther,
		"make: *** [all] Error 2":                                                                                    dkmsstate.CauseOther,
		"  CC [M]  /x/connection.o\n/x/one.c:3:2: error: f":                                                          dkmsstate.CauseCompiler,
		"Binary /x/sign-file not found, modules won't be signed\n/x/one.c:3:2: error: f":                             dkmsstate.CauseCompiler,
		"openssl not found, can't generate key and certificate.\n/x/one.c:3:2: error: f":                             dkmsstate.CauseCompiler,
		strings.Repeat("x", 100000) + "\n/x/one.c:3:2: error: f":                                                     dkmsstate.CauseCompiler,
		"": dkmsstate.CauseOther,
		"configure: error: kernel source not usable, see config.log\n/x/conftest.c:1:1: error: ...\nplease install libelf": dkmsstate.CauseOther,
	} {
		assert.Equal(t, want, readCause(strings.NewReader(log)), log)
	}
}

func TestCauseOf(t *testing.T) {
	assert.Equal(t, dkmsstate.CauseTimeout, causeOf(&dkms.CallError{Program: "dkms", Code: -1, Err: dkms.ErrTimeout}, ""))
	assert.Equal(t, dkmsstate.CauseOther, causeOf(&dkms.CallError{Program: "dkms", Code: 10}, "/no/log"))
	assert.Equal(t, dkmsstate.CauseOther, causeOf(dkmsstate.ErrNoSource, ""))
}

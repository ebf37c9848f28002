package dkmsstate

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReadCause(t *testing.T) {
	for log, want := range map[string]Cause{
		"/x/one.c:3:2: error: implicit declaration of function 'f'\nmake[1]: *** [one.o] Error 1":                    CauseCompiler,
		"  CC [M]  /x/one.o\n/x/one.c:4: error: too few arguments":                                                   CauseCompiler,
		"ERROR: modpost: \"gone\" [/x/one.ko] undefined!":                                                            CauseOther,
		"/x/one.c:3:10: fatal error: openssl/opensslv.h: No such file or directory":                                  CauseOther,
		"/x/one.c:3:2: error: f\n/bin/sh: 1: bc: not found\nmake: *** Error 127":                                     CauseOther,
		"make: flex: No such file or directory":                                                                      CauseOther,
		"/x/one.c:3:2: error: f\ngcc: fatal error: Killed signal terminated program cc1":                             CauseOther,
		"/x/one.c:3:2: internal compiler error: Segmentation fault":                                                  CauseOther,
		"/x/one.c:3:2: error: f\n/x/two.c:1:1: error: unable to open output file 'two.o': 'No space left on device'": CauseOther,
		"Makefile:713: cannot find the tool":                                                                         CauseOther,
		"make: *** [all] Error 2":                                                                                    CauseOther,
		"  CC [M]  /x/connection.o\n/x/one.c:3:2: error: f":                                                          CauseCompiler,
		"Binary /x/sign-file not found, modules won't be signed\n/x/one.c:3:2: error: f":                             CauseCompiler,
		strings.Repeat("x", 100000) + "\n/x/one.c:3:2: error: f":                                                     CauseCompiler,
		"": CauseOther,
		"configure: error: kernel source not usable, see config.log\n/x/conftest.c:1:1: error: ...\nplease install libelf": CauseOther,
	} {
		assert.Equal(t, want, readCause(strings.NewReader(log)), log)
	}
}

func TestCauseOf(t *testing.T) {
	assert.Equal(t, CauseTimeout, causeOf(&CallError{Program: "dkms", Code: -1, Err: errTimeout}, ""))
	assert.Equal(t, CauseOther, causeOf(&CallError{Program: "dkms", Code: 10}, "/no/log"))
	assert.Equal(t, CauseOther, causeOf(errNoSource, ""))
}

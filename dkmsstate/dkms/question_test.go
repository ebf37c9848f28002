package dkms

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
)

// The output and the exit statuses are those of real versions of dkms.
func TestAnswersOfDKMS(t *testing.T) {
	const began, directive = "dkms autoinstall -k K\n", "DIRECTIVE: BUILD_DEPENDS+=\" dkms-hooks-question\"\n"
	for name, c := range map[string]struct {
		output string
		code   int
		answer dkmsstate.Answer
		err    string
	}{
		"3.2.2, yes":        {directive + "one/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question.\n\nError! One", 11, dkmsstate.Answer{Wanted: true}, ""},
		"3.2.2, with needs": {directive + "one/1.0 autoinstall failed due to missing dependencies: zfs dkms-hooks-question spl bar.\nError! One", 11, dkmsstate.Answer{Wanted: true, Needs: []string{"zfs", "spl", "bar"}}, ""},
		"3.0.10, yes":       {directive + "one/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question b\nError! One", 11, dkmsstate.Answer{Wanted: true, Needs: []string{"b"}}, ""},
		"2.8.4, yes":        {directive + "one/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question\n", 0, dkmsstate.Answer{Wanted: true}, ""},
		"no":                {directive, 0, dkmsstate.Answer{}, ""},
		"nothing":           {"/usr/sbin/dkms: line 2189: /dev/fd/63: No such file or directory\n", 0, dkmsstate.Answer{}, "dkms autoinstall does not mention one/1.0"},
		"another failure":   {directive + "Error! You must be root\n", 1, dkmsstate.Answer{}, "dkms autoinstall exited with 1: You must be root"},
		"no PACKAGE_NAME":   {directive + "\nError! Bad conf file.\nFile: x\n", 8, dkmsstate.Answer{}, "dkms cannot use its dkms.conf: dkms autoinstall exited with 8: Bad conf file."},
		"it is not the one": {directive + "two/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question\n", 11, dkmsstate.Answer{}, "dkms autoinstall exited with 11: two/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question"},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if c.code != 0 {
				err = &CallError{Program: "dkms", Args: []string{"autoinstall"}, Code: c.code, Output: c.output}
			}
			answer, err := readAnswer(dkmsstate.Module{Name: "one", Version: "1.0"}, began+c.output, err)
			assert.Equal(t, c.answer, answer)
			if c.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, c.err)
			}
		})
	}
}

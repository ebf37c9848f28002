package dkms

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

func TestNotMeant(t *testing.T) {
	const newer = "Error! Module version 1.0 for x.ko\nis not newer than what is already found in kernel 6.1 (2.0)."
	const obsolete = "Module has been obsoleted due to being included in kernel 6.0.\nYou may override by specifying --force."
	const excluded343 = "Warning: The /var/lib/dkms/x/1/6.1/x86_64/dkms.conf\nfor module x/1 includes BUILD_EXCLUSIVE directives\nwhich do not match this kernel/arch/config for any modules.\nThis indicates that it should not be built.\n"
	const excluded281 = "Error!  The dkms.conf for this module includes a BUILD_EXCLUSIVE directive which\ndoes not match this kernel/arch.  This indicates that it should not be built.\n"
	const excluded3010 = "Error! The /var/lib/dkms/x/1/6.1/x86_64/dkms.conf for module x includes a BUILD_EXCLUSIVE directive which does not match this kernel/arch.\nThis indicates that it should not be built.\n"
	const excluded322 = "Warning: The /var/lib/dkms/x/1/6.1/x86_64/dkms.conf\nfor module x/1 includes a BUILD_EXCLUSIVE directive\nwhich does not match this kernel/arch/config.\nThis indicates that it should not be built.\n"
	for name, row := range map[string]struct {
		err   error
		want  string
		cause dkmsstate.Cause
	}{
		"the kernel has it":    {&CallError{Program: "dkms", Code: 6, Output: newer}, "the kernel contains this module", dkmsstate.CauseInKernel},
		"it is obsolete":       {&CallError{Program: "dkms", Code: 6, Output: obsolete}, "OBSOLETE_BY", dkmsstate.CauseExcluded},
		"one is, one is older": {&CallError{Program: "dkms", Code: 6, Output: obsolete + newer}, "the kernel contains this module", dkmsstate.CauseInKernel},
		"the same version":     {&CallError{Program: "dkms", Code: 6, Output: "Module x.ko already installed at version 1, override by specifying --force"}, "the kernel contains this module", dkmsstate.CauseInKernel},
		"another module's":     {LeftOut("a/1 is installed"), "a/1 is installed", dkmsstate.CauseTaken},
		"another exit 6":       {&CallError{Program: "dkms", Code: 6, Output: "no space left"}, "", dkmsstate.CauseOther},
		"it does not compile":  {&CallError{Program: "dkms", Code: 10}, "", dkmsstate.CauseOther},
		"77 of another":        {&CallError{Program: "depmod", Code: 77}, "", dkmsstate.CauseOther},
		"no call":              {errors.New("77"), "", dkmsstate.CauseOther},
		"wrapped":              {fmt.Errorf("x: %w", &CallError{Program: "dkms", Code: 77, Output: excluded322}), "BUILD_EXCLUSIVE", dkmsstate.CauseExcluded},
		"ended by a signal":    {&CallError{Program: "dkms", Code: -1}, "", dkmsstate.CauseOther},
		"the same, said of it": {&CallError{Program: "dkms", Code: -1, Output: newer}, "", dkmsstate.CauseOther},
		"of dkms 2.8.1":        {&CallError{Program: "dkms", Code: 9, Output: excluded281}, "BUILD_EXCLUSIVE", dkmsstate.CauseExcluded},
		"of dkms 3.0.10":       {&CallError{Program: "dkms", Code: 9, Output: excluded3010}, "BUILD_EXCLUSIVE", dkmsstate.CauseExcluded},
		"of dkms 3.2.2":        {&CallError{Program: "dkms", Code: 77, Output: excluded322}, "BUILD_EXCLUSIVE", dkmsstate.CauseExcluded},
		"of dkms 3.3 and 3.4":  {&CallError{Program: "dkms", Code: 77, Output: excluded343}, "BUILD_EXCLUSIVE", dkmsstate.CauseExcluded},
		"a script's 77":        {&CallError{Program: "dkms", Code: 77, Output: "Running the pre_build script...(bad exit status: 77)\nConsult make.log for more information.\n"}, "", dkmsstate.CauseOther},
		"a script's 9":         {&CallError{Program: "dkms", Code: 9, Output: "Running the pre_build script...(bad exit status: 9)\n"}, "", dkmsstate.CauseOther},
		"said before another":  {&CallError{Program: "dkms", Code: 77, Output: excluded322 + "Error! Another one\n"}, "", dkmsstate.CauseOther},
	} {
		got, cause := NotMeant(row.err)
		assert.Equal(t, row.cause, cause, name)
		if row.want == "" {
			assert.Empty(t, got, name)
		} else {
			assert.Contains(t, got, row.want, name)
		}
	}
}

// dkms names what a build lacks, and refuses to begin it.
func TestLacks(t *testing.T) {
	const refused = "Error! Aborting build of module b/1.0 for kernel 6.1 (x86_64) due to missing BUILD_DEPENDS: "
	for name, row := range map[string]struct {
		program, output, want string
	}{
		"one":               {"dkms", "Creating symlink\n" + refused + "a.\nYou may override by specifying --force.\n", "a"},
		"two":               {"dkms", refused + "a c.\n", "a"},
		"a name with a dot": {"dkms", refused + "a.1.\n", "a.1"},
		"another error":     {"dkms", "Error! Bad return status\n", ""},
		"a warning before":  {"dkms", "Warning: due to missing BUILD_DEPENDS: a.\nError! Bad return status\n", ""},
		"another program":   {"sh", refused + "a.\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, row.want, Lacks(&CallError{Program: row.program, Output: row.output, Code: 13}))
		})
	}
	assert.Empty(t, Lacks(errors.New(refused+"a.")))
}

func TestExplain(t *testing.T) {
	for name, row := range map[string]struct{ log, output, want string }{
		"the compiler's first error": {"x.c: In function\nx.c:3:1: error: one\nx.c:4: error: two\n", "Error! Bad return status", "x.c:3:1: error: one"},
		"a file that is not there":   {"make[1]: Entering\nx.h: fatal: none\n", "", "x.h: fatal: none"},
		"a tool that is missing":     {"/bin/sh: 1: pahole: not found\nmake[1]: *** [Makefile:1: x] Error 127\nmake: *** [Makefile:2: all] Error 2\n", "", "/bin/sh: 1: pahole: not found"},
		"a vendor's check":           {"  ERROR: Kernel configuration is invalid.\nmake[1]: *** [x] Error 1\nmake: *** [y] Error 2\n", "", "ERROR: Kernel configuration is invalid."},
		"a target that is missing":   {"make: Entering\nmake: *** No rule to make target 'x'.  Stop.\n", "", "make: *** No rule to make target 'x'.  Stop."},
		"a compiler after a script":  {"sh: 1: x: not found\ny.c:1: error: one\n", "", "y.c:1: error: one"},
		"a file of the module":       {"/var/lib/dkms/m/1.0/build/src/x.c:3:1: error: one\n", "", "src/x.c:3:1: error: one"},
		"make alone":                 {"DKMS make.log\nmake: *** [Makefile:1: all] Error 2\n", "", "make: *** [Makefile:1: all] Error 2"},
		"no log, dkms's last error":  {"", "Error! first\n\nError! last\nConsult x", "dkms build exited with 10: last"},
		"a message of two lines":     {"", "Error! Patch fix.patch as specified in dkms.conf cannot be\nfound in /var/lib/dkms/m/1.0/build/patches/.\n", "dkms build exited with 10: Patch fix.patch as specified in dkms.conf cannot be found in /var/lib/dkms/m/1.0/build/patches/."},
		"two sentences":              {"", "Error! Your kernel headers for kernel 6.1 cannot be found at /x.\nPlease install the linux-headers-6.1 package\n", "dkms build exited with 10: Your kernel headers for kernel 6.1 cannot be found at /x."},
		"a script that says nothing": {"# exit code: 9\n", "Running the pre_build script...(bad exit status: 9)\nFailed command:\ncd /x && /x/pre\n\nConsult make.log for more information.\n", "dkms build exited with 10: Running the pre_build script...(bad exit status: 9)"},
		"a warning that names one":   {"x.c:1:2: warning: #warning \"error: not one\" [-Wcpp]\n    1 | #warning \"error: not one\"\n      |  ^~~~~~~\nx.c:2:10: fatal error: y.h: No such file or directory\n    2 | #include <y.h>\n", "", "x.c:2:10: fatal error: y.h: No such file or directory"},
		"a warning, then a script":   {"x.c:1:2: warning: #warning \"error: not one\" [-Wcpp]\n    1 | #warning \"error: not one\"\n/bin/sh: 1: pahole: not found\n", "", "/bin/sh: 1: pahole: not found"},
		"a compiler after configure": {"conftest: error: none\nx.c:3: error: one\n", "", "x.c:3: error: one"},
		"configure alone":            {"checking for gcc... gcc\nconfigure: error: C compiler cannot create executables\n", "", "configure: error: C compiler cannot create executables"},
		"the assembler":              {"x.S: Assembler messages:\nx.S:12: Error: no such instruction: `foo'\nmake[2]: *** [x.o] Error 1\n", "", "x.S:12: Error: no such instruction: `foo'"},
		"the linker":                 {"ld: x.o: in function `f':\nx.c:(.text+0x1): undefined reference to `g'\ncollect2: error: ld returned 1 exit status\n", "", "x.c:(.text+0x1): undefined reference to `g'"},
		"a script in Python":         {"Traceback (most recent call last):\n  File \"gen.py\", line 1\nModuleNotFoundError: No module named 'yaml'\nmake: *** [x] Error 1\n", "", "ModuleNotFoundError: No module named 'yaml'"},
		"a compiler of Rust":         {"error[E0432]: unresolved import `kernel::x`\n --> x.rs:1:5\nerror: aborting due to previous error\n", "", "error[E0432]: unresolved import `kernel::x`"},
		"a check between asterisks":  {"   *** Unable to determine the target kernel version. ***\nmake: *** [Makefile:1: x] Error 1\n", "", "*** Unable to determine the target kernel version. ***"},
		"no memory":                  {"cc1: out of memory allocating 65536 bytes\nmake: *** [x] Error 1\n", "", "cc1: out of memory allocating 65536 bytes"},
		"a make below another alone": {"make[2]: *** [x.o] Error 1\n", "", "make[2]: *** [x.o] Error 1"},
		"no log, no error":           {"", "one\ntwo\n", "dkms build exited with 10: two"},
		"control characters":         {"\x1b[31mx.c: error:\tred\x1b[0m\n", "", "[31mx.c: error: red [0m"},
	} {
		t.Run(name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "make.log")
			if row.log != "" {
				require.NoError(t, os.WriteFile(log, []byte(row.log), 0o644))
			}
			err := &CallError{Program: "dkms", Args: []string{"build"}, Code: 10, Output: row.output}
			explained := ExplainByLog(err, log)
			assert.EqualError(t, explained, row.want)
			assert.ErrorIs(t, explained, err)
		})
	}
	silent := &CallError{Program: "dkms", Args: []string{"build"}, Code: 10}
	assert.Equal(t, error(silent), ExplainByLog(silent, ""), "nothing to add")
	long := dkmsstate.OneLine(strings.Repeat("ö", 400))
	assert.Less(t, len(long), 320)
	assert.True(t, strings.HasSuffix(long, " …"))
}

// The outputs are those of initramfs-tools 0.148.4.
func TestExplainInitramfs(t *testing.T) {
	const made, failed = "update-initramfs: Generating /boot/initrd.img-6.1\n", "update-initramfs: failed for /boot/initrd.img-6.1 with 1.\n"
	for name, row := range map[string]struct{ output, want string }{
		"a hook with a message":      {made + "W: Possible missing firmware\nE: cryptroot: target is missing\nE: /etc/initramfs-tools/hooks/zz failed with return 1.\n" + failed, "E: cryptroot: target is missing"},
		"a program of a hook":        {made + "cp: cannot stat '/x': No such file or directory\nE: /etc/initramfs-tools/hooks/zz failed with return 1.\n" + failed, "cp: cannot stat '/x': No such file or directory"},
		"a hook that says nothing":   {made + "W: Possible missing firmware\nE: /etc/initramfs-tools/hooks/zz failed with return 1.\n" + failed, "E: /etc/initramfs-tools/hooks/zz failed with return 1."},
		"a full filesystem":          {made + "zstd: error 70 : Write error : cannot write block : No space left on device \nE: mkinitramfs failure cpio 141\nE: mkinitramfs failure zstd -q -9 -T0 70\n" + failed, "zstd: error 70 : Write error : cannot write block : No space left on device"},
		"no directory for its files": {made + "mktemp: failed to create directory via template '/var/tmp/mkinitramfs_XXXXXX': No such file or directory\n" + failed, "mktemp: failed to create directory via template '/var/tmp/mkinitramfs_XXXXXX': No such file or directory"},
		"a boot loader's hook":       {"zz-loader: no disk\nrun-parts: /etc/initramfs/post-update.d//zz-loader exited with return code 1\n", "zz-loader: no disk"},
		"a missing program":          {made + "mkinitramfs: 1: zstd: not found\nE: mkinitramfs failure zstd -q -9 -T0 127\n" + failed, "mkinitramfs: 1: zstd: not found"},
		"nothing else":               {made + failed, "update-initramfs: failed for /boot/initrd.img-6.1 with 1."},
	} {
		err := &CallError{Program: "update-initramfs", Args: []string{"-u"}, Code: 1, Output: row.output}
		assert.EqualError(t, Explain(err), "update-initramfs exited with 1: "+row.want, name)
	}
	silent := &CallError{Program: "update-initramfs", Code: 1}
	assert.Equal(t, error(silent), Explain(silent), "nothing to add")
}

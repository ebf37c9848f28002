package hooks

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// showsSignals makes the test binary print which signals a child of a hook ignores.
const showsSignals = "DKMS_HOOKS_TEST_SIGNALS"

func TestMain(m *testing.M) {
	if os.Getenv(showsSignals) == "" {
		os.Exit(m.Run())
	}
	_, stop := UntilSignal()
	defer stop()
	OutliveReaders()
	out, err := exec.Command("grep", "^SigIgn:", "/proc/self/status").Output()
	fmt.Printf("%s%v\n", out, err)
}

func TestChildrenIgnoreWhatTheCallerIgnores(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for trap, want := range map[string][]syscall.Signal{
		"":              nil,
		"HUP":           {syscall.SIGHUP},
		"HUP INT TERM":  {syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM},
		"PIPE":          {syscall.SIGPIPE},
		"TERM TSTP HUP": {syscall.SIGHUP}, // as a shell at a terminal does for itself
	} {
		t.Run(trap, func(t *testing.T) {
			script := `"$0"; :`
			if trap != "" {
				script = "trap '' " + trap + "; " + script
			}
			cmd := exec.Command("env", "--default-signal=HUP,INT,TERM,PIPE,TSTP", "sh", "-c", script, self)
			cmd.Env = append(os.Environ(), showsSignals+"=1")
			out, err := cmd.Output()
			require.NoError(t, err)
			line, _, _ := strings.Cut(string(out), "\n")
			got, err := strconv.ParseUint(strings.TrimSpace(strings.TrimPrefix(line, "SigIgn:")), 16, 64)
			require.NoError(t, err, "%s", out)
			assert.NotZero(t, got&mask(syscall.SIGTTIN), "a question on the terminal fails")
			for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE} {
				expected := false
				for _, w := range want {
					expected = expected || w == sig
				}
				assert.Equal(t, expected, got&mask(sig) != 0, "%v, %s", sig, out)
			}
		})
	}
}

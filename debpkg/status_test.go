package debpkg

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStatus(t *testing.T) {
	for text, want := range map[string]Status{
		"install ok installed":              {WantInstall, FlagOK, Installed},
		"deinstall ok half-configured":      {WantDeinstall, FlagOK, HalfConfigured},
		"purge reinstreq half-installed":    {WantPurge, FlagReinstreq, HalfInstalled},
		"hold ok triggers-awaited":          {WantHold, FlagOK, TriggersAwaited},
		"unknown ok not-installed":          {WantUnknown, FlagOK, NotInstalled},
		" Install\tOK  Triggers-Pending \n": {WantInstall, FlagOK, TriggersPending},
	} {
		got, err := ParseStatus(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
	for text, reason := range map[string]string{
		"":                          "0 words",
		"install ok":                "2 words",
		"install ok installed now":  "4 words",
		"installed ok installed":    `unknown want "installed"`,
		"install hold installed":    `unknown error flag "hold"`,
		"install ok half-installd":  `unknown state "half-installd"`,
		"install\x00 ok installed":  "unknown want",
		"install ok post-inst-fail": "unknown state",
	} {
		_, err := ParseStatus(text)
		assert.ErrorContains(t, err, reason, text)
	}
}

// Which states mean that the files are present, and which wants that they are to be removed.
func TestStatusMeaning(t *testing.T) {
	for state, present := range map[State]bool{
		NotInstalled: false, ConfigFiles: false, HalfInstalled: false,
		Unpacked: true, HalfConfigured: true, TriggersAwaited: true, TriggersPending: true, Installed: true,
	} {
		assert.Equal(t, present, Status{WantInstall, FlagOK, state}.Present(), state)
	}
	for want, leaving := range map[Want]bool{
		WantUnknown: false, WantInstall: false, WantHold: false, WantDeinstall: true, WantPurge: true,
	} {
		assert.Equal(t, leaving, Status{want, FlagOK, Installed}.SelectedForRemoval(), want)
	}
}

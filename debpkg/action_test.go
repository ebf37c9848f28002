package debpkg

import (
	"math/rand"
	"strings"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every form of Policy 6.5, deb-preinst(5), deb-postinst(5), deb-prerm(5) and
// deb-postrm(5).
func TestParseActionForms(t *testing.T) {
	for params, want := range map[string]Action{
		"":                                {},
		"install":                         {Word: Install},
		"install 1 2":                     {Word: Install, Versions: []string{"1", "2"}},
		"upgrade 1:2~rc1-3+b1":            {Word: Upgrade, Versions: []string{"1:2~rc1-3+b1"}},
		"upgrade 1 2":                     {Word: Upgrade, Versions: []string{"1", "2"}},
		"remove":                          {Word: Remove},
		"remove in-favour other 3":        {Word: Remove, InFavour: &Ref{"other", "3"}},
		"purge":                           {Word: Purge},
		"configure":                       {Word: Configure},
		"configure 1":                     {Word: Configure, Versions: []string{"1"}},
		"triggered ldconfig":              {Word: Triggered, Triggers: []string{"ldconfig"}},
		"triggered a b":                   {Word: Triggered, Triggers: []string{"a", "b"}},
		"deconfigure in-favour a 1":       {Word: Deconfigure, InFavour: &Ref{"a", "1"}},
		"deconfigure removing b 2":        {Word: Deconfigure, Removing: &Ref{"b", "2"}},
		"failed-upgrade 1":                {Word: FailedUpgrade, Versions: []string{"1"}},
		"failed-upgrade 1 2":              {Word: FailedUpgrade, Versions: []string{"1", "2"}},
		"abort-install":                   {Word: AbortInstall},
		"abort-install 1":                 {Word: AbortInstall, Versions: []string{"1"}},
		"abort-upgrade 2":                 {Word: AbortUpgrade, Versions: []string{"2"}},
		"abort-remove":                    {Word: AbortRemove},
		"abort-remove in-favour other 3":  {Word: AbortRemove, InFavour: &Ref{"other", "3"}},
		"abort-deconfigure in-favour a 1": {Word: AbortDeconfigure, InFavour: &Ref{"a", "1"}},
		"disappear other 3":               {Word: Disappear, InFavour: &Ref{"other", "3"}},
		"deconfigure in-favour a 1 removing b 2": {
			Word: Deconfigure, InFavour: &Ref{"a", "1"}, Removing: &Ref{"b", "2"},
		},
		"abort-deconfigure in-favour a 1 removing b 2": {
			Word: AbortDeconfigure, InFavour: &Ref{"a", "1"}, Removing: &Ref{"b", "2"},
		},
	} {
		t.Run(params, func(t *testing.T) {
			for _, spelling := range []string{params, quote(strings.Fields(params)...)} {
				got := ParseAction(spelling)
				want.Raw = spelling
				assert.Equal(t, want, got)
				assert.Equal(t, params != "", got.Known())
				if params != "" {
					assert.Equal(t, params, got.String())
				}
			}
		})
	}
}

// The two spellings of the kernel packages in detail.
func TestParseActionSpellings(t *testing.T) {
	for params, want := range map[string]Action{
		"configure ":                  {Word: Configure},
		" \t\n":                       {},
		"''":                          {},
		"'configure' ''":              {Word: Configure},
		"'remove'":                    {Word: Remove},
		"'upgrade' '1.2-3' ":          {Word: Upgrade, Versions: []string{"1.2-3"}},
		"  'upgrade'\t'1'":            {Word: Upgrade, Versions: []string{"1"}},
		"'triggered' 'a b'":           {Word: Triggered, Triggers: []string{"a", "b"}},
		"'re'mo've'":                  {Word: Remove},
		`'upgrade' 1\:2`:              {Word: Upgrade, Versions: []string{"1:2"}},
		`'upgrade' 'it'\''s'`:         {Word: Upgrade, Versions: []string{"it's"}},
		"'upgrade' '$(reboot)' '`x`'": {Word: Upgrade, Versions: []string{"$(reboot)", "`x`"}},
		"upgrade $HOME":               {Word: Upgrade, Versions: []string{"$HOME"}},
		"upgrade 'x'":                 {Word: Upgrade, Versions: []string{"'x'"}},
	} {
		got := ParseAction(params)
		want.Raw = params
		assert.Equal(t, want, got, params)
	}
}

// A text that is not a call of dpkg keeps its words and is never taken for one.
func TestParseActionUnknown(t *testing.T) {
	for params, shown := range map[string]string{
		"rm":                                     "rm",
		"REMOVE":                                 "REMOVE",
		"remove now":                             "remove now",
		"remove in-favour":                       "remove in-favour",
		"remove in-favour a":                     "remove in-favour a",
		"'remove' 'in-favour' '' '1'":            "remove in-favour  1",
		"remove in-favour a 1 in-favour b 2":     "remove in-favour a 1 in-favour b 2",
		"remove removing b 2":                    "remove removing b 2",
		"remove in-favour a 1 removing b 2":      "remove in-favour a 1 removing b 2",
		"deconfigure removing b 2 in-favour a 1": "deconfigure removing b 2 in-favour a 1",
		"purge everything":                       "purge everything",
		"upgrade 1 2 3":                          "upgrade 1 2 3",
		"disappear other":                        "disappear other",
		"removе":                                 "removе", // with a Cyrillic letter
		"'remove":                                "'remove",
		`'remove'\`:                              `"'remove'\\"`,
		"'' 'remove'":                            " remove",
		"'remove\n'":                             `"remove\n"`,
		"'\x1b[2J' 'x'":                          `"\x1b[2J" x`,
		"--help":                                 "--help",
	} {
		got := ParseAction(params)
		assert.False(t, got.Known(), params)
		assert.Equal(t, params, got.Raw)
		assert.Equal(t, shown, got.String(), params)
		assert.Nil(t, got.InFavour, params)
		assert.Empty(t, got.Versions, params)
	}
}

// quote quotes arguments as the linux packages' scripts do.
func quote(args ...string) string {
	var words []string
	for _, arg := range args {
		words = append(words, "'"+strings.ReplaceAll(arg, "'", `'\''`)+"'")
	}
	return strings.Join(words, " ")
}

// Any arguments are the same after quoting and splitting.
func TestQuotedArgumentsSurvive(t *testing.T) {
	property := func(args []string) bool {
		got, ok := splitWords(quote(args...))
		return ok && assert.Equal(t, len(args), len(got)) && (len(args) == 0 || assert.Equal(t, args, got))
	}
	require.NoError(t, quick.Check(property, &quick.Config{Rand: rand.New(rand.NewSource(1)), MaxCount: 2000}))
}

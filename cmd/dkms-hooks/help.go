package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpCommand prints the help of the program or of a command, as --help does.
func (p program) helpCommand() *cli.Command {
	return &cli.Command{
		Name:         "help",
		Usage:        "print the help of a command",
		ArgsUsage:    "[COMMAND]",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			switch name := c.Args().First(); {
			case c.NArg() > 1:
				return fmt.Errorf("help takes one command, not %d arguments", c.NArg())
			case name == "":
				return cli.ShowAppHelp(c.Lineage()[len(c.Lineage())-2])
			case c.App.Command(name) == nil:
				return unknownCommand(c.App, name)
			default:
				return cli.ShowCommandHelp(c.Lineage()[len(c.Lineage())-2], name)
			}
		},
	}
}

// unknownCommand returns the error for a command that does not exist.
func unknownCommand(app *cli.App, name string) error {
	names := commandNames(app)
	return fmt.Errorf("unknown command %q%s; the commands are %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// didYouMean returns a question with the name that differs least from a word, "" if none is
// similar.
func didYouMean(word string, names []string) string {
	const most = 2 // mistakes
	best, least := "", most+1
	for _, name := range names {
		if n := mistakes(word, name); n < least && n < len(name)-1 {
			best, least = name, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// mistakes returns how many letters have to be added, left out, replaced or exchanged with the
// next one to make one word of another.
func mistakes(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j], rows[i][j-1], rows[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

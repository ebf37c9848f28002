package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// page is the output of a command: lines and tables, in colour on a terminal.
type page struct {
	*bufio.Writer
	color bool
}

// style is the number of a colour in ISO 6429, "" for none.
type style string

// The styles of a page.
const (
	plain style = ""
	bold  style = "1"
	faint style = "2"
	bad   style = "31"
	good  style = "32"
	warn  style = "33"
)

// cell is a text in one style.
type cell struct {
	text  string
	style style
}

// page returns a page on stdout. It is in colour on a terminal, unless the user refuses colours
// (NO_COLOR, https://no-color.org).
func (p program) page(c *cli.Context) *page {
	refused := c.Bool("no-color") || p.getenv("NO_COLOR") != "" || p.getenv("TERM") == "dumb" || p.getenv("TERM") == ""
	return &page{bufio.NewWriter(p.stdout), !refused && isTerminal(p.stdout)}
}

func (p program) getenv(name string) string {
	i := slices.IndexFunc(p.environ, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	if i < 0 {
		return ""
	}
	return p.environ[i][len(name)+1:]
}

func isTerminal(out io.Writer) bool {
	if inner, ok := out.(*output); ok {
		out = inner.Writer
	}
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}

// paint returns a text in its style. It replaces control characters, so that text of a
// dkms.conf or of a log cannot control the terminal.
func (p *page) paint(c cell) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, c.text)
	if !p.color || c.style == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c.style) + "m" + text + "\x1b[0m"
}

// line prints cells one after the other.
func (p *page) line(cells ...cell) {
	for _, c := range cells {
		fmt.Fprint(p, p.paint(c))
	}
	fmt.Fprintln(p)
}

// table prints rows whose cells are aligned in columns, two spaces apart.
func (p *page) table(indent string, rows [][]cell) {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(row)-1 { // the last cell of a row needs no padding
				widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
			}
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			line.WriteString(p.paint(c))
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)+2))
			}
		}
		fmt.Fprintln(p, strings.TrimRight(indent+line.String(), " "))
	}
}

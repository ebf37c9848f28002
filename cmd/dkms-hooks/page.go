package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"dkms-hooks/hooks"
)

// page is the output of a command: lines and tables, in colour on a terminal.
type page struct {
	*hooks.Printable
	buffer *bufio.Writer
	color  bool
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
	buffer := bufio.NewWriter(p.output)
	return &page{hooks.ForPeople(buffer), buffer, !refused && isTerminal(p.output.Writer)}
}

// Flush prints what was written to the page. An error is that of the output.
func (p *page) Flush() { _ = p.buffer.Flush() }

func (p program) getenv(name string) string {
	i := slices.IndexFunc(p.environ, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	if i < 0 {
		return ""
	}
	return p.environ[i][len(name)+1:]
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}

// cell prints a text in its style. The text is one of others, such as a line of a dkms.conf, and
// breaks no line.
func (p *page) cell(c cell) {
	if text := hooks.WithoutControls(c.text); !p.color || c.style == plain || text == "" {
		fmt.Fprint(p, text)
	} else {
		p.Control("\x1b[" + string(c.style) + "m")
		fmt.Fprint(p, text)
		p.Control("\x1b[0m")
	}
}

// line prints cells one after the other.
func (p *page) line(cells ...cell) {
	for _, c := range cells {
		p.cell(c)
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
		before := indent // blanks at the end of a line are left out
		for i, c := range row {
			if c.text != "" {
				fmt.Fprint(p, before)
				p.cell(c)
				before = ""
			}
			before += strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(c.text))+2)
		}
		fmt.Fprintln(p)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func readPage(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/" + path)
	require.NoError(t, err)
	return string(data)
}

// The manual page describes every command and option of the program, and no others.
func TestPageAndHelpAgree(t *testing.T) {
	page := readPage(t, "man/dkms-hooks.8")
	options := map[string]bool{}
	note := func(flags []cli.Flag) {
		for _, f := range flags {
			for _, name := range f.Names() {
				options[name] = true
			}
		}
	}
	app := newProgram(nil, io.Discard, io.Discard).app()
	app.Setup()
	note(app.Flags)
	for _, c := range app.VisibleCommands() {
		assert.Regexp(t, fmt.Sprintf(`(?m)^\.It Cm %s\b`, c.Name), page, "the command is described")
		note(c.Flags)
	}
	var described []string
	for _, m := range regexp.MustCompile(`Fl (?:Fl )?([a-z-]+)`).FindAllStringSubmatch(page, -1) {
		assert.True(t, options[m[1]], "the page has an option %q, which there is not", m[1])
		described = append(described, m[1])
	}
	for name := range options {
		assert.Contains(t, described, name)
	}
	for _, m := range regexp.MustCompile(`(?m)^\.It Cm ([a-z]+)`).FindAllStringSubmatch(page, -1) {
		assert.NotNil(t, app.Command(m[1]), "the page has a command %q, which there is not", m[1])
	}
}

func TestPageHasEveryField(t *testing.T) {
	page := readPage(t, "man/dkms-hooks.conf.5")
	for _, field := range hooks.ConfigFields() {
		assert.Contains(t, page, "\n.It Sy "+field+" :\n")
	}
	assert.Len(t, regexp.MustCompile(`(?m)^\.It Sy `).FindAllString(page, -1), len(hooks.ConfigFields()))
}

// schema is the part of a JSON schema that the test reads.
type schema struct {
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
	Items       *schema           `json:"items"`
	Description string            `json:"description"`
	Enum        []string          `json:"enum"`
}

// The schema, the page and the help have every kind of finding, and no other.
func TestKindsOfFindings(t *testing.T) {
	var s schema
	require.NoError(t, json.Unmarshal([]byte(readPage(t, "status.schema.json")), &s))
	page, help := readPage(t, "man/dkms-hooks.8"), program{}.checkCommand().Description
	var kinds []string
	for _, kind := range hooks.FindingKinds() {
		kinds = append(kinds, string(kind))
		assert.Contains(t, page, "\n.It Em "+string(kind)+"\n")
		assert.Regexp(t, `(?m)^   `+string(kind)+` `, help)
	}
	assert.ElementsMatch(t, kinds, s.Properties["findings"].Items.Properties["kind"].Enum)
}

// The schema describes every field that status --json can print, and no others.
func TestSchemaAndStatusAgree(t *testing.T) {
	var s schema
	require.NoError(t, json.Unmarshal([]byte(readPage(t, "status.schema.json")), &s))
	s.agrees(t, reflect.TypeFor[hooks.Overview](), "overview")
}

func (s schema) agrees(t *testing.T, of reflect.Type, where string) {
	t.Helper()
	var names []string
	for i := range of.NumField() {
		if !of.Field(i).IsExported() {
			continue
		}
		name, omit, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
		p, described := s.Properties[name]
		assert.True(t, described, "%s.%s is not in the schema", where, name)
		assert.NotEmpty(t, p.Description, "%s.%s", where, name)
		assert.Equal(t, omit == "", slices.Contains(s.Required, name), "whether %s.%s is required", where, name)
		inner := of.Field(i).Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
			require.NotNil(t, p.Items, "%s.%s", where, name)
			p = *p.Items
		}
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[time.Time]() {
			p.agrees(t, inner, where+"."+name)
		}
	}
	for name := range s.Properties {
		assert.Contains(t, names, name, "%s has it in the schema alone", where)
	}
}

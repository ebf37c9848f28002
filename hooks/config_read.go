package hooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/dkmsstate/sentinel"
)

// Settings is the configuration with where it comes from.
type Settings struct {
	Config
	// From lists where each field was set, by its name in ConfigFields: FILE, line N. A field
	// without an entry has its default.
	From map[string][]string
	// Mistakes are what is wrong in the files. The rest of the files is in force.
	Mistakes []ConfigMistake
	// Unreadable lists the files that cannot be read, in a sentence each.
	Unreadable []string
}

// ConfigMistake is a mistake in a configuration file.
type ConfigMistake struct {
	// File is the path of the file. Line is the number of the line.
	File string
	Line int
	// Text describes the mistake.
	Text string
}

// String returns the mistake with its place.
func (m ConfigMistake) String() string { return fmt.Sprintf("%s, line %d: %s", m.File, m.Line, m.Text) }

// ReadSettings reads the configuration of an invocation's root.
func ReadSettings(inv Invocation) Settings {
	files, err := configFiles(dkmsstate.DefaultLayout(inv.Root).Path)
	s := readSettings(files...)
	if err != nil {
		s.unreadable(err)
	}
	return s
}

// ReadSettingsFile reads one configuration file, as if there were no other. Unlike ReadSettings
// it requires that the file exists.
func ReadSettingsFile(path string) (Settings, error) {
	if _, err := os.Stat(path); err != nil {
		return Settings{}, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return readSettings(path), nil
}

// Field is a field of the configuration as it is in force.
type Field struct {
	Name, Value string
	// From lists where it was set. It is empty for the default.
	From []string
}

// Fields returns the configuration that is in force. It does not contain the values of
// Environment.
func (s Settings) Fields() []Field {
	var fields []Field
	for _, name := range ConfigFields() {
		fields = append(fields, Field{name, s.value(name), s.From[name]})
	}
	return fields
}

// isLink reports whether a path is a symbolic link, here one to nothing.
func isLink(path string) bool {
	_, err := os.Readlink(path)
	return err == nil
}

// maxConfig bounds the size of a configuration file.
const maxConfig = 1 << 20

// readSettings reads configuration files in their order.
func readSettings(files ...string) Settings {
	s := Settings{Config: DefaultConfig(), From: map[string][]string{}}
	for _, file := range files {
		data, err := regular.ReadAtMost(file, maxConfig)
		switch {
		case err == nil:
			s.parse(file, data)
		case !errors.Is(err, fs.ErrNotExist) || isLink(file):
			s.unreadable(err)
		}
	}
	return s
}

func (s *Settings) unreadable(err error) {
	s.Unreadable = append(s.Unreadable, inOneLine(fmt.Sprintf("cannot read the configuration: %v", err)))
}

// parse applies the content of a file. What is wrong in it becomes a mistake.
func (s *Settings) parse(file string, data []byte) {
	fields, wrong := debpkg.ParseFields(data)
	for _, w := range wrong {
		s.mistake(file, w.Line, w.Err)
	}
	for _, field := range fields {
		value, comment := cutComment(field)
		if comment {
			s.mistake(file, field.Line, errTrailingComment)
		}
		before := s.Config
		for _, err := range s.set(field.Name, value) {
			s.mistake(file, field.Line, err)
		}
		for _, name := range ConfigFields() {
			if strings.EqualFold(name, field.Name) && (value == s.value(name) || before.value(name) != s.value(name)) {
				s.From[name] = append(s.From[name], fmt.Sprintf("%s, line %d", file, field.Line))
			}
		}
	}
}

// errTrailingComment means that a comment follows a value in its line.
const errTrailingComment = sentinel.Error("a comment must be on a line of its own")

// cutComment returns the value of a field without what may be meant as a comment, and reports
// whether there is any. Environment may contain any character.
func cutComment(field debpkg.Field) (value string, found bool) {
	if strings.EqualFold(field.Name, "Environment") {
		return field.Value, false
	}
	lines := strings.Split(field.Value, "\n")
	for i, line := range lines {
		before, _, ok := strings.Cut(" "+line, " #")
		if ok {
			lines[i], found = strings.TrimSpace(before), true
		}
	}
	return strings.Join(lines, "\n"), found
}

func (s *Settings) mistake(file string, line int, err error) {
	s.Mistakes = append(s.Mistakes, ConfigMistake{file, line, inOneLine(err.Error())})
}

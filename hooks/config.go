package hooks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"pault.ag/go/debian/control"
)

// ConfigFile is where an administrator changes what the hooks do, one stanza of
// deb822(5). Without it the defaults hold.
const ConfigFile = "/etc/dkms-hooks.conf"

// Config is what that file says.
type Config struct {
	// Strict: any module that fails, fails the kernel package (On-Failure: strict).
	Strict bool
	// Required are the names of modules without which the kernel package fails.
	Required []string
	// Timeout bounds one call of dkms, and with lockLimit the wait for another run.
	Timeout time.Duration
	// Jobs is how many modules are built at a time, 0 for as many as the machine can
	// bear.
	Jobs int
	// Ignore are modules that are not wanted on a kernel.
	Ignore []Unwanted
	// Environment are assignments, NAME=VALUE, to the environment of dkms.
	Environment []string
}

// callLimit is the default Timeout. The longest builds known (ZFS on a small board)
// take half an hour.
const callLimit = time.Hour

// lockLimit bounds the wait for another run of the hooks.
const lockLimit = 10 * time.Minute

// ConfigFields names the fields of the file.
func ConfigFields() []string {
	return []string{"On-Failure", "Required", "Timeout", "Jobs", "Ignore", "Environment"}
}

// DefaultConfig is what holds without a file.
func DefaultConfig() Config { return Config{Timeout: callLimit} }

// lockLimit gives how long to wait for another run.
func (c Config) lockLimit() time.Duration { return min(c.Timeout, lockLimit) }

// ReadConfig reads a configuration file. One that is not there gives the defaults;
// so does one with anything wrong in it, and the error names the line.
func ReadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return DefaultConfig(), nil
	}
	if err != nil {
		return DefaultConfig(), fmt.Errorf("cannot read the configuration, the defaults hold: %w", err)
	}
	c, line, err := parseConfig(data)
	if err != nil {
		return DefaultConfig(), fmt.Errorf("%s, line %d: %w; the defaults hold", path, line, err)
	}
	return c, nil
}

// parseConfig gives the number of the line that an error is about, too.
func parseConfig(data []byte) (Config, int, error) {
	lines := map[string]int{}
	last, ended := "", 0
	var text bytes.Buffer
	for i, line := range strings.Split(string(data), "\n") {
		number := i + 1
		name, _, field := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case strings.TrimSpace(line) == "":
			if last != "" && ended == 0 {
				ended = number
			}
			continue
		case ended > 0:
			return Config{}, number, errors.New("there is a second stanza, and only one is read")
		case line[0] == ' ' || line[0] == '\t':
			if last == "" {
				return Config{}, number, errors.New("it continues nothing")
			}
		case !field || name == "" || strings.ContainsFunc(name, notPrintable):
			return Config{}, number, fmt.Errorf("no field: %q", line)
		default:
			last = strings.ToLower(name)
			if lines[last] > 0 {
				return Config{}, number, fmt.Errorf("%s stands there twice", name)
			}
			lines[last] = number
		}
		text.WriteString(strings.TrimRight(line, "\r") + "\n")
	}
	c := DefaultConfig()
	if text.Len() == 0 {
		return c, 0, nil
	}
	reader, err := control.NewParagraphReader(&text, nil)
	if err != nil {
		return Config{}, 1, err
	}
	paragraph, err := reader.Next()
	if err != nil {
		return Config{}, 1, err
	}
	for _, name := range paragraph.Order {
		if err := c.set(name, strings.TrimSpace(paragraph.Values[name])); err != nil {
			return Config{}, lines[strings.ToLower(name)], err
		}
	}
	return c, 0, nil
}

// words returns the words of a list, which blanks and commas separate.
func words(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
}

// notPrintable says that a character has no place in the name of a field (deb822(5)).
func notPrintable(r rune) bool { return r <= ' ' || r >= 0x7f }

// set sets a field; names of fields have no case.
func (c *Config) set(name, value string) error {
	switch strings.ToLower(name) {
	case "on-failure":
		if value != "warn" && value != "strict" {
			return fmt.Errorf("the word for On-Failure is warn or strict, not %q", value)
		}
		c.Strict = value == "strict"
	case "required":
		c.Required = words(value)
		for _, module := range c.Required {
			if strings.ContainsAny(module, "/*?") {
				return fmt.Errorf("there are names of modules in Required, without a version, and not %q", module)
			}
		}
	case "timeout":
		timeout, err := time.ParseDuration(value)
		if err != nil || timeout <= 0 {
			return fmt.Errorf("a time for Timeout is one such as 90s, 45m or 2h, not %q", value)
		}
		c.Timeout = timeout
	case "jobs":
		jobs, err := strconv.Atoi(value)
		if err != nil || jobs <= 0 {
			return fmt.Errorf("a number for Jobs is one from 1 on, not %q", value)
		}
		c.Jobs = jobs
	case "ignore":
		c.Ignore = nil
		for _, entry := range words(value) {
			unwanted, err := parseUnwanted(entry)
			if err != nil {
				return err
			}
			c.Ignore = append(c.Ignore, unwanted)
		}
	case "environment":
		assignments, err := parseEnvironment(value)
		if err != nil {
			return err
		}
		c.Environment = assignments
	default:
		return fmt.Errorf("there is no field %q; the fields are %s", name, strings.Join(ConfigFields(), ", "))
	}
	return nil
}

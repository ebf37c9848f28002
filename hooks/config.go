package hooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"dkms-hooks/debpkg"
)

// ConfigFile is where an administrator changes what the hooks do: one stanza of deb822(5).
// Without it the defaults apply.
const ConfigFile = "/etc/dkms-hooks.conf"

// Config is the content of ConfigFile.
type Config struct {
	// Strict reports whether any module that fails makes the kernel package fail (On-Failure:
	// strict).
	Strict bool
	// Required lists the names of modules without which the kernel package fails.
	Required []string
	// Timeout bounds one call of dkms. It also bounds the wait for another run, as lockLimit
	// does.
	Timeout time.Duration
	// Jobs is how many modules are built at a time. 0 means one for each processor, as far as
	// memory allows.
	Jobs int
	// Ignore lists the modules that are not wanted on a kernel.
	Ignore []Unwanted
	// Environment lists assignments, NAME=VALUE, for the environment of dkms.
	Environment []string
}

// callLimit is the default Timeout. The longest known builds (ZFS on a small board) take half
// an hour.
const callLimit = time.Hour

// lockLimit bounds the wait for another run of the hooks.
const lockLimit = 10 * time.Minute

// ConfigFields returns the names of the fields of ConfigFile.
func ConfigFields() []string {
	return []string{"On-Failure", "Required", "Timeout", "Jobs", "Ignore", "Environment"}
}

// DefaultConfig returns the configuration that applies without a file.
func DefaultConfig() Config { return Config{Timeout: callLimit} }

// lockLimit returns how long to wait for another run.
func (c Config) lockLimit() time.Duration { return min(c.Timeout, lockLimit) }

// ReadConfig reads a configuration file. It returns the defaults if there is none. It also
// returns the defaults if anything in the file is wrong, with an error that names the line.
func ReadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return DefaultConfig(), nil
	}
	if err != nil {
		return DefaultConfig(), fmt.Errorf("cannot read the configuration, using the defaults: %w", err)
	}
	c, line, err := parseConfig(data)
	if err != nil {
		return DefaultConfig(), fmt.Errorf("%s, line %d: %w; the whole file is ignored", path, line, err)
	}
	return c, nil
}

// parseConfig parses the content of a configuration file. With an error it returns the number
// of the line at fault.
func parseConfig(data []byte) (Config, int, error) {
	fields, err := debpkg.ParseParagraph(data)
	var at *debpkg.ParagraphError
	if errors.As(err, &at) {
		return Config{}, at.Line, at.Err
	}
	c := DefaultConfig()
	for _, field := range fields {
		if err := c.set(field.Name, field.Value); err != nil {
			return Config{}, field.Line, err
		}
	}
	return c, 0, nil
}

// words splits a list at blanks and commas.
func words(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
}

// set sets a field. The case of its name does not matter.
func (c *Config) set(name, value string) error {
	switch strings.ToLower(name) {
	case "on-failure":
		if value != "warn" && value != "strict" {
			return fmt.Errorf("%s must be warn or strict, not %q", name, value)
		}
		c.Strict = value == "strict"
	case "required":
		c.Required = words(value)
		for _, module := range c.Required {
			if strings.ContainsAny(module, "/*?") {
				return fmt.Errorf("%s must list names of modules without a version, not %q", name, module)
			}
		}
	case "timeout":
		timeout, err := time.ParseDuration(value)
		if err != nil || timeout <= 0 {
			return fmt.Errorf("%s must be a duration such as 90s, 45m or 2h, not %q", name, value)
		}
		c.Timeout = timeout
	case "jobs":
		jobs, err := strconv.Atoi(value)
		if err != nil || jobs <= 0 {
			return fmt.Errorf("%s must be a number of at least 1, not %q", name, value)
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
		return fmt.Errorf("unknown field %q; the fields are %s", name, strings.Join(ConfigFields(), ", "))
	}
	return nil
}

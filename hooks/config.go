package hooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ConfigFile is where an administrator changes what the hooks do, and ConfigDir is where other
// packages and tools put files *.conf for the same purpose. Each file is one stanza of
// deb822(5). Without any the defaults apply.
const (
	ConfigFile = "/etc/dkms-hooks.conf"
	ConfigDir  = "/etc/dkms-hooks.conf.d"
)

// Config is what the configuration files say.
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
	// HoldReboot reports whether a request for a reboot is set aside while a module of Required
	// does not load on the kernel that boots next.
	HoldReboot bool
	// Disable lists the hooks that do nothing. Reconciler stands for the reconcile that dpkg's
	// trigger starts.
	Disable []Hook
}

// callLimit is the default Timeout. The longest known builds (ZFS on a small board) take half
// an hour.
const callLimit = time.Hour

// lockLimit bounds the wait for another run of the hooks.
const lockLimit = 10 * time.Minute

// ConfigFields returns the names of the fields of a configuration file.
func ConfigFields() []string {
	return []string{"On-Failure", "Required", "Timeout", "Jobs", "Ignore", "Environment", "Hold-Reboot", "Disable"}
}

// DefaultConfig returns the configuration that applies without a file.
func DefaultConfig() Config { return Config{Timeout: callLimit} }

// lockLimit returns how long to wait for another run.
func (c Config) lockLimit() time.Duration { return min(c.Timeout, lockLimit) }

// words splits a list at blanks and commas.
func words(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
}

// set sets a field. The case of its name does not matter. A single value replaces an earlier
// one, and a list is added to an earlier one. set returns what is wrong; a wrong single value
// and a wrong entry of a list are left out.
func (c *Config) set(name, value string) (wrong []error) {
	errorf := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	switch strings.ToLower(name) {
	case "on-failure":
		if value != "warn" && value != "strict" {
			errorf("%s must be warn or strict, not %q", name, value)
			break
		}
		c.Strict = value == "strict"
	case "required":
		for _, module := range words(value) {
			switch {
			case strings.ContainsAny(module, "/*?@#:="):
				errorf("%s must list names of modules without a version, not %q", name, module)
			case !slices.Contains(c.Required, module):
				c.Required = append(c.Required, module)
			}
		}
	case "timeout":
		timeout, err := time.ParseDuration(value)
		if err != nil || timeout <= 0 {
			errorf("%s must be a duration such as 90s, 45m or 2h, not %q", name, value)
			break
		}
		c.Timeout = timeout
	case "jobs":
		jobs, err := strconv.Atoi(value)
		if err != nil || jobs <= 0 {
			errorf("%s must be a number of at least 1, not %q", name, value)
			break
		}
		c.Jobs = jobs
	case "ignore":
		for _, entry := range words(value) {
			unwanted, err := parseUnwanted(entry)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			c.Ignore = append(c.Ignore, unwanted)
		}
	case "environment":
		assignments, errs := parseEnvironment(value)
		wrong = append(wrong, errs...)
		c.Environment = append(c.Environment, assignments...)
	case "hold-reboot":
		if value != "yes" && value != "no" {
			errorf("%s must be yes or no, not %q", name, value)
			break
		}
		c.HoldReboot = value == "yes"
	case "disable":
		for _, word := range words(value) {
			hook, err := ParseHook(word)
			if word == string(Reconciler) {
				hook, err = Reconciler, nil
			}
			if err != nil {
				errorf("%s must list hooks and %s, not %q", name, Reconciler, word)
				continue
			}
			c.Disable = append(c.Disable, hook)
		}
	default:
		name, _, _ = strings.Cut(name, "=") // what follows may be a passphrase
		errorf("unknown field %q; the fields are %s", name, strings.Join(ConfigFields(), ", "))
	}
	return wrong
}

// value returns the value of a field as a configuration file would give it, "" for one that is
// not set. Of Environment it returns the names alone, since a value may be a passphrase.
func (c Config) value(name string) string {
	switch name {
	case "On-Failure":
		if c.Strict {
			return "strict"
		}
		return "warn"
	case "Required":
		return strings.Join(c.Required, " ")
	case "Timeout":
		return shortDuration(c.Timeout)
	case "Jobs":
		if c.Jobs > 0 {
			return strconv.Itoa(c.Jobs)
		}
	case "Ignore":
		var entries []string
		for _, u := range c.Ignore {
			entries = append(entries, u.String())
		}
		return strings.Join(entries, " ")
	case "Environment":
		var names []string
		for _, assignment := range c.Environment {
			variable, _, _ := strings.Cut(assignment, "=")
			names = append(names, variable+"=(not printed)")
		}
		return strings.Join(names, " ")
	case "Hold-Reboot":
		if c.HoldReboot {
			return "yes"
		}
		return "no"
	case "Disable":
		var hooks []string
		for _, hook := range c.Disable {
			hooks = append(hooks, string(hook))
		}
		return strings.Join(hooks, " ")
	}
	return ""
}

// shortDuration returns a duration without the parts that are zero: 1h instead of 1h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// configFiles returns the configuration files under a root in the order in which they are
// read: ConfigFile, then those of ConfigDir by name. The error says that ConfigDir cannot be
// read.
func configFiles(inRoot func(path string) string) ([]string, error) {
	files := []string{inRoot(ConfigFile)}
	entries, err := os.ReadDir(inRoot(ConfigDir)) // sorted
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".conf") && !strings.HasPrefix(entry.Name(), ".") {
			files = append(files, filepath.Join(inRoot(ConfigDir), entry.Name()))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return files, err
}

package dkmsstate

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// readOptions reads what a kernel was configured with and what decides how its
// structures lie: the options that are y, m or a number. Text is left out, since
// auto.conf and config-KVER write it in different ways.
func readOptions(config []byte) map[string]string {
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(config))
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), "=")
		if !ok || !strings.HasPrefix(name, "CONFIG_") || slices.Contains(laterOptions(), name) {
			continue
		}
		if _, err := strconv.ParseInt(value, 0, 64); err == nil || value == "y" || value == "m" {
			out[name] = value
		}
	}
	return out
}

// laterOptions are set otherwise in the headers than in the image, since Debian
// signs modules in a step of its own.
func laterOptions() []string { return []string{"CONFIG_MODULE_SIG_ALL"} }

// optionsDiffer says how the headers' options differ from the image's, "" when
// they do not.
func optionsDiffer(image, headers map[string]string) string {
	var names []string
	for name, value := range image {
		if headers[name] != value {
			names = append(names, name)
		}
	}
	for name := range headers {
		if _, ok := image[name]; !ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	name := slices.Min(names)
	return fmt.Sprintf("%s is %s in the image and %s in the headers", name, option(image[name]), option(headers[name]))
}

func option(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

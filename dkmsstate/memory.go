package dkmsstate

import (
	"math"
	"strconv"
	"strings"
)

// memoryAvailable reads proc(5)'s MemAvailable, in kB; where it does not say, memory bounds
// nothing.
func memoryAvailable(meminfo string) int {
	data, _ := readRegular(meminfo)
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			if kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB")); err == nil {
				return kb
			}
		}
	}
	return math.MaxInt
}

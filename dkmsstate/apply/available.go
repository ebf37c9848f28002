package apply

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// memoryAvailable returns how much memory programs can use without swapping, in kB. It is the
// least of MemAvailable in proc(5) and what is left to the control group of this process and to
// those above it (cgroups(7)), as in a container. If none of these is known, memory is not
// limited.
func memoryAvailable(root string) int {
	available := math.MaxInt
	if kb, known := numberAfter(filepath.Join(root, "proc/meminfo"), "MemAvailable:"); known {
		available = int(min(kb, math.MaxInt))
	}
	groups := memoryGroups(filepath.Join(root, "sys/fs/cgroup"))
	data, _ := regular.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(data)) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(line, ":")
		group, ok := groups[controllers]
		for ; ok && filepath.IsAbs(path); path = filepath.Dir(path) {
			available = min(available, group.left(path))
			if path == "/" {
				break
			}
		}
	}
	return max(available, 0)
}

// memoryGroup describes how a version of control groups limits memory: the directory of the
// groups, and the names of their files.
type memoryGroup struct{ dir, limit, used, cached, held string }

// memoryGroups returns both versions, by the controllers in /proc/PID/cgroup.
func memoryGroups(mounted string) map[string]memoryGroup {
	return map[string]memoryGroup{
		"":       {mounted, "memory.max", "memory.current", "file ", "shmem "},
		"memory": {filepath.Join(mounted, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache ", "total_shmem "},
	}
}

// left returns how much memory a group may still use, in kB. Cached files count as used and can
// be evicted. Those of a tmpfs cannot.
func (g memoryGroup) left(path string) int {
	dir := filepath.Join(g.dir, path)
	limit, limited := numberAfter(filepath.Join(dir, g.limit), "")
	used, known := numberAfter(filepath.Join(dir, g.used), "")
	const unlimited = 1 << 62 // version 1 has nearly this value for no limit
	if !limited || !known || limit >= unlimited {
		return math.MaxInt
	}
	cached, _ := numberAfter(filepath.Join(dir, "memory.stat"), g.cached)
	held, _ := numberAfter(filepath.Join(dir, "memory.stat"), g.held)
	return kilobytes(limit - used + max(cached-held, 0))
}

// kilobytes converts bytes to kB.
func kilobytes(bytes int64) int { return int(min(bytes>>10, math.MaxInt)) }

// numberAfter returns the number that follows a word at the beginning of a line of a file.
func numberAfter(path, word string) (int64, bool) {
	data, _ := regular.ReadFile(path)
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

package apply

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// memoryAvailable returns how much memory programs can take without the machine swapping, in
// kB: what proc(5)'s MemAvailable says, and what is left to the control group of this process
// and to those above it (cgroups(7)), as in a container. Where nothing says it,
// memory bounds nothing.
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

// memoryGroup is how a version of control groups bounds memory: where the groups are, and
// what their files are called.
type memoryGroup struct{ dir, limit, used, cached, held string }

// memoryGroups returns the two versions, by the controllers that /proc/PID/cgroup names.
func memoryGroups(mounted string) map[string]memoryGroup {
	return map[string]memoryGroup{
		"":       {mounted, "memory.max", "memory.current", "file ", "shmem "},
		"memory": {filepath.Join(mounted, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache ", "total_shmem "},
	}
}

// left returns what a group may still take, in kB. Files that are cached count as its own, and
// make room for what is asked for; those of a tmpfs do not.
func (g memoryGroup) left(path string) int {
	dir := filepath.Join(g.dir, path)
	limit, limited := numberAfter(filepath.Join(dir, g.limit), "")
	used, known := numberAfter(filepath.Join(dir, g.used), "")
	const unlimited = 1 << 62 // version 1 says nearly so much for no limit
	if !limited || !known || limit >= unlimited {
		return math.MaxInt
	}
	cached, _ := numberAfter(filepath.Join(dir, "memory.stat"), g.cached)
	held, _ := numberAfter(filepath.Join(dir, "memory.stat"), g.held)
	return kilobytes(limit - used + max(cached-held, 0))
}

// kilobytes returns a number of bytes in kB.
func kilobytes(bytes int64) int { return int(min(bytes>>10, math.MaxInt)) }

// numberAfter reads the number that a line of a file has behind a word.
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

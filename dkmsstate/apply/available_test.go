package apply

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
)

func TestMemoryAvailable(t *testing.T) {
	const meminfo = "MemTotal:       24684084 kB\nMemAvailable:    2097152 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		kB    int
	}{
		"nothing says it":   {map[string]string{"proc/other": ""}, math.MaxInt},
		"the machine":       {map[string]string{"proc/meminfo": meminfo}, 2 << 20},
		"no limit":          {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5\n"}, 2 << 20},
		"a container":       {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.current": "536870912\n"}, 512 << 10},
		"with cached files": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.current": "1073741824\n", "sys/fs/cgroup/memory.stat": "anon 1\nfile 268435456\nfile_mapped 3\n"}, 256 << 10},
		"with a tmpfs":      {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.current": "1073741824\n", "sys/fs/cgroup/memory.stat": "anon 1\nfile 268435456\nshmem 201326592\n"}, 64 << 10},
		"no limit, 1":       {map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "5\n", "sys/fs/cgroup/memory/memory.stat": "total_cache 9\n"}, math.MaxInt},
		"a group above":     {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "1:name=systemd:/x\n0::/a/b\n", "sys/fs/cgroup/a/memory.max": "2097152\n", "sys/fs/cgroup/a/memory.current": "1048576\n"}, 1 << 10},
		"version 1":         {map[string]string{"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "2097152\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "2097152\n", "sys/fs/cgroup/memory/memory.stat": "cache 1\ntotal_cache 1048576\n"}, 1 << 10},
		"a group outside":   {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/../../x\n"}, 2 << 20},
		"above its limit":   {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1024\n", "sys/fs/cgroup/memory.current": "2048\n"}, 0},
		"what is no number": {map[string]string{"proc/meminfo": "MemAvailable: much\n"}, math.MaxInt},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.Root{T: t, Layout: dkmsstate.DefaultLayout(t.TempDir())}
			for path, text := range c.files {
				f.Write(path, text)
			}
			assert.Equal(t, c.kB, memoryAvailable(f.Layout.Root))
		})
	}
}

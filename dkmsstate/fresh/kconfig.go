package fresh

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// readOptions returns those options of a kernel's configuration that can show that headers are
// of another image (layoutOptions), by name without CONFIG_. It returns nil if config is not
// the configuration of a kernel with modules.
func readOptions(config []byte) map[string]string {
	wanted := layoutOptions()
	out := map[string]string{}
	modules := false
	lines := bufio.NewScanner(bytes.NewReader(config))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		name, ok := strings.CutPrefix(name, "CONFIG_")
		modules = modules || name == "MODULES" && value == "y"
		if _, asked := slices.BinarySearch(wanted, name); !ok || !asked {
			continue
		}
		if value == "m" { // structures use IS_ENABLED()
			value = "y"
		}
		if _, err := strconv.ParseInt(value, 0, 64); err == nil || value == "y" {
			out[name] = value
		}
	}
	if !modules {
		return nil
	}
	return out
}

// optionsDiffer returns how the headers' options differ from the image's, or "" if they do not,
// or if the options of one side are unknown.
func optionsDiffer(image, headers map[string]string) string {
	if image == nil || headers == nil {
		return ""
	}
	for _, name := range layoutOptions() {
		if image[name] != headers[name] {
			return fmt.Sprintf("CONFIG_%s is %s in the image and %s in the headers", name, option(image[name]), option(headers[name]))
		}
	}
	return ""
}

func option(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

// layoutOptions returns the options by which whoever builds a kernel decides about the
// structures that the kernel shares with its modules. Each occurs in a condition inside a
// structure, or is the size of one, in include/linux, include/net or asm of Linux 6.1 and 6.12.
// A difference proves that the headers are of another image.
//
// Nothing else is compared. Kconfig determines hundreds of options by trying the tools
// (CC_VERSION_TEXT, AS_HAS_…, PAHOLE_VERSION and what depends on them, down to KASAN and
// SHADOW_CALL_STACK). Headers on which somebody ran "make oldconfig", as the packages of
// Armbian do, therefore never equal their image in these options. Other options only affect the
// build itself (MODULE_SIG_ALL, WERROR, DEBUG_INFO_…). If wrong headers are accepted, they are
// replaced when the right ones come, and so are the builds that were made with them. If right
// headers are rejected, there is no module at all.
func layoutOptions() []string {
	names := strings.Fields(`
		64BIT SMP NR_CPUS NUMA NODES_SHIFT HZ PREEMPT_COUNT PREEMPT_RT PREEMPT_RCU HIGHMEM X86_PAE ARM_LPAE
		ARM64_4K_PAGES ARM64_16K_PAGES ARM64_64K_PAGES PAGE_SHIFT PGTABLE_LEVELS
		FLATMEM SPARSEMEM SPARSEMEM_VMEMMAP PARAVIRT_XXL
		DEBUG_SPINLOCK DEBUG_MUTEXES DEBUG_RWSEMS DEBUG_LOCK_ALLOC DEBUG_PREEMPT LOCKDEP LOCK_STAT PROVE_LOCKING
		DETECT_HUNG_TASK FAULT_INJECTION FAIL_MAKE_REQUEST LATENCYTOP PAGE_OWNER SCHEDSTATS
		AIO AUDIT BSD_PROCESS_ACCT CGROUPS CGROUP_NET_CLASSID CGROUP_NET_PRIO CGROUP_SCHED CGROUP_WRITEBACK CPUSETS
		FAIR_GROUP_SCHED FUTEX HIGH_RES_TIMERS IO_URING KEYS KEY_NOTIFICATIONS MEMCG NO_HZ_FULL NUMA_BALANCING
		PERF_EVENTS PERSISTENT_KEYRINGS POSIX_TIMERS PSI RCU_NOCB_CPU RSEQ RT_GROUP_SCHED SCHED_AUTOGROUP SCHED_CORE
		SYSVIPC TASKSTATS TASK_DELAY_ACCT TASK_IO_ACCOUNTING TASK_XACCT UCLAMP_TASK UPROBES VIRT_CPU_ACCOUNTING_GEN WATCH_QUEUE
		ANON_VMA_NAME CMA COMPACTION HUGETLB_PAGE KSM LRU_GEN MEMORY_FAILURE MEMORY_HOTPLUG MMU_NOTIFIER
		SWAP TRANSPARENT_HUGEPAGE ZONE_DMA ZSWAP
		BLK_CGROUP BLK_CGROUP_IOCOST BLK_DEV_INTEGRITY BLK_DEV_IO_TRACE BLK_DEV_THROTTLING BLK_DEV_ZONED
		BLK_INLINE_ENCRYPTION BLK_WBT BLOCK EPOLL FILE_LOCKING FSNOTIFY FS_ENCRYPTION FS_POSIX_ACL FS_VERITY IMA
		PROC_FS QUOTA SECURITY SYSCTL SYSFS UNICODE
		BQL CFG80211 DCB IPV6 IP_VS MACSEC MPTCP NET NETFILTER NETFILTER_EGRESS NETFILTER_INGRESS NETPOLL
		NETWORK_SECMARK NET_DSA NET_L3_MASTER_DEV NET_NS NET_POLL_CONTROLLER NET_RX_BUSY_POLL NET_SCHED
		NET_SWITCHDEV NF_CONNTRACK NF_TABLES RFS_ACCEL RPS SKB_EXTENSIONS VLAN_8021Q XDP_SOCKETS XFRM XFRM_OFFLOAD XPS
		ACPI DMA_CMA HOTPLUG_CPU IRQ_DOMAIN_HIERARCHY PCIEAER PCIEASPM PCI_ATS PCI_MSI PCI_P2PDMA
		PINCTRL PM PM_GENERIC_DOMAINS PM_SLEEP SWIOTLB
		BPF_SYSCALL KPROBES MODULE_SIG MODULE_UNLOAD MODVERSIONS TRACEPOINTS`)
	slices.Sort(names)
	return names
}

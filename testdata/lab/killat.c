/*
 * killat OF N WHAT PROGRAM [ARGUMENT…] runs a program and kills at a call:
 *
 *   OF    hook    the calls of dkms-hooks itself
 *         depmod  the calls of every depmod
 *         dkms    the calls of all other processes: dkms and what it starts
 *   N     at which of these calls, before it is made; 0 for none
 *   WHAT  one     the process that makes the call, with its process group when
 *                 it is one of dkms
 *         all     all processes
 *
 * Calls are those that change files, in the order in which all processes make
 * them. It exits with 99 when it killed, else with the program's status, and
 * then prints how many calls there were: "killat: hook=H depmod=D dkms=K".
 *
 * strace(1) counts the calls of each process by itself, so that it cannot be
 * told at which call of a build to kill.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const groups[] = {"hook", "depmod", "dkms"};

static void fail(const char *what)
{
	perror(what);
	exit(125);
}

/* changing are the calls that change a file or make a name. */
static const int changing[] = {
	SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_linkat, SYS_symlinkat, SYS_mkdirat,
	SYS_fsync, SYS_ftruncate, SYS_flock, SYS_write, SYS_copy_file_range,
#ifdef SYS_rename
	SYS_rename, SYS_unlink, SYS_rmdir, SYS_link, SYS_symlink, SYS_mkdir, SYS_creat,
#endif
};

/* watch lets the tracer see those calls, and openat with O_CREAT, and no other. */
static void watch(void)
{
	enum { calls = sizeof(changing) / sizeof(changing[0]) };
	struct sock_filter filter[2 * calls + 7], *f = filter;

	*f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < calls; i++) {
		*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)changing[i], 0, 1);
		*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3);
	*f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]));
	*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1);
	*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	struct sock_fprog program = {(unsigned short)(f - filter), filter};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		fail("cannot watch system calls");
}

/* group_of says whose a call is, by the name of the program. */
static int group_of(pid_t pid)
{
	char path[64], comm[32] = "";
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	FILE *file = fopen(path, "r");
	if (file) {
		if (!fgets(comm, sizeof(comm), file))
			comm[0] = 0;
		fclose(file);
	}
	comm[strcspn(comm, "\n")] = 0;
	return !strcmp(comm, "dkms-hooks") ? 0 : !strcmp(comm, "depmod") ? 1 : 2;
}

static void kill_one(pid_t tid, int group)
{
	pid_t pgid = group == 2 ? getpgid(tid) : 0;
	if (pgid > 1 && pgid != getpgid(0))
		kill(-pgid, SIGKILL);
	kill(tid, SIGKILL); /* of a thread too: it ends the process */
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: killat hook|depmod|dkms N one|all PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	long at = atol(argv[2]), count[3] = {0};
	int all = !strcmp(argv[3], "all"), killed = 0, status, result = 125;

	pid_t first = fork();
	if (first < 0)
		fail("cannot fork");
	if (first == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			fail("cannot be traced");
		raise(SIGSTOP);
		watch();
		execvp(argv[4], argv + 4);
		fail(argv[4]);
	}
	if (waitpid(first, &status, 0) != first)
		fail("cannot wait");
	if (ptrace(PTRACE_SETOPTIONS, first, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP |
			PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC))
		fail("cannot trace");
	ptrace(PTRACE_CONT, first, 0, 0);

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid != first)
				continue;
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue; /* what it left running goes on */
		}
		int event = status >> 16, signal = WSTOPSIG(status);
		if (event == PTRACE_EVENT_SECCOMP) {
			int group = group_of(pid);
			count[group]++;
			if (!killed && !strcmp(groups[group], argv[1]) && count[group] == at) {
				killed = 1;
				if (all)
					return 99; /* PTRACE_O_EXITKILL */
				kill_one(pid, group);
				continue;
			}
		}
		if (event || signal == SIGSTOP || signal == SIGTRAP)
			signal = 0;
		ptrace(PTRACE_CONT, pid, 0, signal);
	}
	if (killed)
		return 99;
	fprintf(stderr, "killat: hook=%ld depmod=%ld dkms=%ld\n", count[0], count[1], count[2]);
	return result;
}

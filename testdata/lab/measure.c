/*
 * measure OUT PROGRAM [ARGUMENT…] runs a program and prints what it cost:
 *
 *     WALL CPU PROCESSES PEAK STATUS
 *
 * seconds until the program ended, seconds of CPU of all that it started, the
 * number of processes (threads not counted; by acct(5), the program included),
 * the largest resident set of one process in kB, and its exit status. What the
 * program prints goes to OUT.
 *
 * It has to be the first process of a PID namespace: what the program leaves
 * running is ended and counted as well. It is small and in C because a child
 * inherits the peak of the process that it was forked from.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char records[] = "/tmp/measure.acct";

static void fail(const char *what)
{
	perror(what);
	exit(125);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	struct stat written;
	int out, status, other;
	double start, wall;
	pid_t child;

	if (argc < 3 || getpid() != 1) {
		fprintf(stderr, "usage, as the first process of a PID namespace: measure OUT PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		fail(argv[1]);
	close(open(records, O_WRONLY | O_CREAT | O_TRUNC, 0600));
	if (acct(records))
		fail("acct");
	start = now();
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDONLY);

		if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
			fail("dup2");
		execvp(argv[2], argv + 2);
		fail(argv[2]);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		fail("fork");
	wall = now() - start;
	kill(-1, SIGKILL);
	while (wait(&other) > 0)
		;
	if (stat(records, &written) || getrusage(RUSAGE_CHILDREN, &usage))
		fail(records);
	acct(NULL); /* which writes a record of its own */
	printf("%.6f %.6f %ld %ld %d\n", wall, seconds(usage.ru_utime) + seconds(usage.ru_stime),
	       (long)(written.st_size / 64), usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

/*
 * step FIFO MILLISECONDS takes a byte out of a FIFO, sleeps, and puts the byte back.
 *
 * With P bytes in the FIFO as many steps are at work at a time, whoever started them,
 * as on P processors. One with the lowest priority, as nice(1) gives it, takes no byte
 * while another waits for one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LOWEST = 19 };

static void wait_for(long milliseconds)
{
	struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Those that wait hold a shared lock, which keeps the others from an exclusive one. */
static int take(int fifo, const char *name)
{
	char processor;
	int without_waiting, taken = 0;

	if (getpriority(PRIO_PROCESS, 0) < LOWEST)
		return !flock(fifo, LOCK_SH) && read(fifo, &processor, 1) == 1 && !flock(fifo, LOCK_UN);
	without_waiting = open(name, O_RDWR | O_NONBLOCK);
	if (without_waiting < 0)
		return 0;
	for (;;) {
		if (!flock(without_waiting, LOCK_EX | LOCK_NB)) {
			taken = read(without_waiting, &processor, 1) == 1;
			flock(without_waiting, LOCK_UN);
			if (taken || getpriority(PRIO_PROCESS, 0) < LOWEST)
				break;
		}
		wait_for(20);
	}
	close(without_waiting);
	return taken || take(fifo, name);
}

int main(int argc, char **argv)
{
	char processor = ' ';
	int fifo;

	if (argc != 3) {
		fprintf(stderr, "usage: step FIFO MILLISECONDS\n");
		return 2;
	}
	fifo = open(argv[1], O_RDWR);
	if (fifo < 0 || !take(fifo, argv[1])) {
		perror(argv[1]);
		return 1;
	}
	wait_for(atol(argv[2]));
	if (write(fifo, &processor, 1) != 1) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}

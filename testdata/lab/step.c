/*
 * step FIFO MILLISECONDS takes a byte out of a FIFO, sleeps, and puts the byte back.
 *
 * With P bytes in the FIFO as many steps are at work at a time, whoever started them,
 * as on P processors.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long milliseconds;
	struct timespec t;
	char processor;
	int fifo;

	if (argc != 3) {
		fprintf(stderr, "usage: step FIFO MILLISECONDS\n");
		return 2;
	}
	milliseconds = atol(argv[2]);
	t.tv_sec = milliseconds / 1000;
	t.tv_nsec = milliseconds % 1000 * 1000000;
	fifo = open(argv[1], O_RDWR);
	if (fifo < 0 || read(fifo, &processor, 1) != 1 || nanosleep(&t, NULL) || write(fifo, &processor, 1) != 1) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}

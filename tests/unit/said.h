/*
 * said.h - for tests of what a program tells people: what was written to a descriptor meanwhile
 */
#ifndef TESTS_UNIT_SAID_H
#define TESTS_UNIT_SAID_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SAID_BYTES 65536U

struct said {
	int fd;    /* that is listened to: 1 or 2 */
	int own;   /* where it led before */
	int store; /* a memfd */
	char text[SAID_BYTES];
};

static inline void said_must(int result)
{
	if (result >= 0)
		return;
	perror("said.h");
	exit(1);
}

static inline void said_begin(struct said *said, int fd)
{
	fflush(NULL);
	said->fd = fd;
	said->store = memfd_create("said", MFD_CLOEXEC);
	said_must(said->store);
	said->own = dup(fd);
	said_must(said->own);
	said_must(dup2(said->store, fd));
}

/* Return: what was written since said_begin(), valid as long as @said */
static inline const char *said_end(struct said *said)
{
	ssize_t got;

	fflush(NULL);
	said_must(dup2(said->own, said->fd));
	close(said->own);
	got = pread(said->store, said->text, SAID_BYTES - 1, 0);
	said_must((int)got);
	said->text[got] = '\0';
	close(said->store);
	return said->text;
}

#endif /* TESTS_UNIT_SAID_H */

/*
 * netns.h - for tests that need devices: a network namespace of their own, and ip(8) as a second opinion
 */
#ifndef TESTS_UNIT_NETNS_H
#define TESTS_UNIT_NETNS_H

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For the whole process, or it ends: these tests mean nothing elsewhere and must not touch the host's devices */
static inline void netns_enter(void)
{
	if (unshare(CLONE_NEWNET) == 0)
		return;
	perror("this test needs root: cannot make a network namespace");
	exit(1);
}

/* Return: the exit status of a shell command */
__attribute__((format(printf, 1, 2))) static inline int netns_run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

#endif /* TESTS_UNIT_NETNS_H */

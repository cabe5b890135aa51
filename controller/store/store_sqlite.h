/*
 * store_sqlite.h - the store in one SQLite file, for a single controller
 *
 * WAL with synchronous=FULL: a commit that was reported survives a power cut, one that was not is wholly there or wholly absent.
 * Jobs are carried out on a thread of the store's own: the loop never waits for the disk.
 */
#ifndef CONTROLLER_STORE_STORE_SQLITE_H
#define CONTROLLER_STORE_STORE_SQLITE_H

#include "controller/store/store.h"

#include <event2/event.h>

/**
 * store_sqlite_open() - open, and create where @create says so, the file at @path (mode 0600)
 *
 * @base:	the loop on which jobs are reported; borrowed.  NULL: store_wait() and store_close() alone report them
 *
 * The file is locked: a second controller on the same store is refused.
 *
 * Return: 0; -ENOENT; -EBUSY where another process has it; -EPROTO where it is not ours or newer than we are; -EIO
 */
int store_sqlite_open(const char *path, bool create, struct event_base *base, struct store **out)
	__attribute__((warn_unused_result));

#endif /* CONTROLLER_STORE_STORE_SQLITE_H */

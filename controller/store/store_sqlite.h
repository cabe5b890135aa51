/*
 * store_sqlite.h - the store in one SQLite file, for a single controller
 *
 * WAL with synchronous=FULL: a commit that returned survives a power cut, one that did not is wholly absent.
 */
#ifndef CONTROLLER_STORE_STORE_SQLITE_H
#define CONTROLLER_STORE_STORE_SQLITE_H

#include "controller/store/store.h"

/**
 * store_sqlite_open() - open, and create where @create says so, the file at @path (mode 0600)
 *
 * The file is locked: a second controller on the same store is refused.
 *
 * Return: 0; -ENOENT; -EBUSY where another process has it; -EPROTO where it is not ours or newer than we are; -EIO
 */
int store_sqlite_open(const char *path, bool create, struct store **out) __attribute__((warn_unused_result));

#endif /* CONTROLLER_STORE_STORE_SQLITE_H */

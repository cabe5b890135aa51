/*
 * file.h - small files that must survive a crash
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * file_read() - a whole file, with a NUL behind it that does not count
 * @max_bytes:	larger files are refused with -EFBIG
 * @out:	allocated; the caller frees (and wipes, where it held a secret)
 *
 * Return: 0 or -errno
 */
int file_read(const char *path, size_t max_bytes, char **out, size_t *len_bytes) __attribute__((warn_unused_result));

/**
 * file_write() - replace a file at once or not at all (write beside it, fsync, rename, fsync the folder)
 * @mode:	of the new file; 0600 for secrets
 *
 * Return: 0 or -errno; on an error the old file is untouched
 */
int file_write(const char *path, const void *bytes, size_t len_bytes, mode_t mode) __attribute__((warn_unused_result));

/* Make a folder and those above it, as mkdir -p does.  Return: 0 or -errno */
int file_make_dir(const char *path, mode_t mode) __attribute__((warn_unused_result));

#endif /* BASE_FILE_H */

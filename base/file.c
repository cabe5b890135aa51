/*
 * file.c - see file.h
 */
#include "base/file.h"

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t max_bytes, char **out, size_t *len_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = NULL;
	size_t used = 0;
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto out;
	}
	if (st.st_size < 0 || (size_t)st.st_size > max_bytes) {
		err = -EFBIG;
		goto out;
	}
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes) {
		err = -ENOMEM;
		goto out;
	}
	while (used < (size_t)st.st_size) {
		ssize_t got = read(fd, bytes + used, (size_t)st.st_size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err = -errno;
			goto out;
		}
		if (got == 0)
			break;
		used += (size_t)got;
	}
	bytes[used] = '\0';
	*out = bytes;
	*len_bytes = used;
	bytes = NULL;
out:
	if (bytes)
		secret_wipe(bytes, used);
	free(bytes);
	close(fd);
	return err;
}

static int write_all(int fd, const char *bytes, size_t len_bytes)
{
	while (len_bytes > 0) {
		ssize_t put = write(fd, bytes, len_bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		len_bytes -= (size_t)put;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	int fd, err = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

int file_write(const char *path, const void *bytes, size_t len_bytes, mode_t mode)
{
	char beside[PATH_MAX];
	int fd, err;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fchmod(fd, mode) < 0 ? -errno : write_all(fd, bytes, len_bytes);
	close(fd);
	if (!err && rename(beside, path) < 0)
		err = -errno;
	if (err) {
		unlink(beside);
		return err;
	}
	return sync_folder_of(path);
}

int file_make_dir(const char *path, mode_t mode)
{
	char copy[PATH_MAX];
	size_t len_bytes = (size_t)snprintf(copy, sizeof(copy), "%s", path);

	if (len_bytes == 0)
		return -ENOENT;
	if (len_bytes >= sizeof(copy))
		return -ENAMETOOLONG;
	while (len_bytes > 1 && copy[len_bytes - 1] == '/') /* or the last folder would get the mode of those above */
		copy[--len_bytes] = '\0';
	for (char *at = copy + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(copy, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/*
 * test_file.c - whole files in and out, and what is left where writing fails
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/weft-test-file.XXXXXX";
static char path[PATH_MAX];

static int enter(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static unsigned int entries(void)
{
	DIR *dir = opendir(folder);
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void assert_holds(const char *name, const char *want, size_t want_bytes)
{
	size_t len = 0;
	char *got = NULL;

	assert_int_equal(file_read(in_folder(name), 1 << 20, &got, &len), 0);
	assert_int_equal(len, want_bytes);
	assert_memory_equal(got, want, len);
	assert_int_equal(got[len], '\0');
	free(got);
}

static void what_is_written_is_read(void **state)
{
	static char large[300000];
	struct stat st;

	(void)state;
	assert_int_equal(file_write(in_folder("a"), "one\0two", 7, 0600), 0);
	assert_holds("a", "one\0two", 7);
	assert_int_equal(stat(in_folder("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_write(in_folder("a"), "", 0, 0644), 0);
	assert_holds("a", "", 0);
	assert_int_equal(stat(in_folder("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	memset(large, 'x', sizeof(large));
	assert_int_equal(file_write(in_folder("a"), large, sizeof(large), 0600), 0);
	assert_holds("a", large, sizeof(large));
	assert_int_equal(entries(), 1);
}

static void too_large_and_missing_are_told(void **state)
{
	char *got = (char *)1;
	size_t len = 77;

	(void)state;
	assert_int_equal(file_write(in_folder("a"), "12345", 5, 0600), 0);
	assert_int_equal(file_read(in_folder("a"), 4, &got, &len), -EFBIG);
	assert_int_equal(file_read(in_folder("none"), 4, &got, &len), -ENOENT);
	assert_ptr_equal(got, (char *)1);
	assert_int_equal(len, 77);
	assert_int_equal(file_read(in_folder("a"), 5, &got, &len), 0);
	free(got);
}

static void a_failed_write_changes_nothing(void **state)
{
	const struct rlimit small = { 100, RLIM_INFINITY };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	char too_long[PATH_MAX + 10], bytes[1000] = { 0 };
	unsigned int before;

	(void)state;
	assert_int_equal(file_write(in_folder("a"), "old", 3, 0600), 0);
	before = entries();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_write(in_folder("a"), bytes, sizeof(bytes), 0600), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_holds("a", "old", 3);
	assert_int_equal(entries(), before); /* nothing half-written beside it */
	assert_int_equal(file_write(in_folder("none/a"), "x", 1, 0600), -ENOENT);
	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	assert_int_equal(file_write(too_long, "x", 1, 0600), -ENAMETOOLONG);
	assert_int_equal(mkdir(in_folder("dir"), 0700), 0);
	assert_int_equal(file_write(in_folder("dir"), "x", 1, 0600), -EISDIR);
	assert_int_equal(entries(), before + 1);
}

static void folders_are_made_with_those_above(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(file_make_dir(in_folder("x/y/z"), 0700), 0);
	assert_int_equal(stat(in_folder("x/y/z"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(file_make_dir(in_folder("x/y/z"), 0700), 0); /* again */
	assert_int_equal(file_make_dir(in_folder("x/q/"), 0700), 0);
	assert_int_equal(file_write(in_folder("file"), "", 0, 0600), 0);
	assert_int_equal(file_make_dir(in_folder("file/below"), 0700), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(too_large_and_missing_are_told),
		cmocka_unit_test(a_failed_write_changes_nothing),
		cmocka_unit_test(folders_are_made_with_those_above),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

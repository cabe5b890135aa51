/*
 * program.c - see program.h
 */
#include "cli/program.h"

#include "cli/say.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Become @folder/@name, where that is a program; @folder is relative to the one that weft itself is in */
static void become_near(const char *folder, const char *name, char *const argv[])
{
	char self[PATH_MAX], path[2 * PATH_MAX];
	ssize_t len_bytes = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len_bytes <= 0)
		return;
	self[len_bytes] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return;
	*slash = '\0';
	if (snprintf(path, sizeof(path), "%s/%s/%s", self, folder, name) < (int)sizeof(path))
		execv(path, argv);
}

enum cli_exit program_become(const char *name, char *const argv[])
{
	fflush(stdout);
	signal(SIGPIPE, SIG_DFL); /* main ignores it, and that would be inherited */
	become_near(".", name, argv);
	become_near("../sbin", name, argv);
	execvp(name, argv);
	return say_error(CLI_FAILED, "could not run %s: %s; it belongs beside weft, or into PATH", name,
		strerror(errno));
}

enum cli_exit program_run(const char *name, char *const argv[])
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return say_error(CLI_FAILED, "could not start %s: %s", name, strerror(errno));
	if (pid == 0) {
		if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
			_exit(CLI_FAILED);
		_exit(program_become(name, argv));
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return say_error(CLI_FAILED, "lost %s: %s", name, strerror(errno));
	if (WIFSIGNALED(status))
		return say_error(CLI_FAILED, "%s was ended by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) == 0)
		return CLI_OK;
	return WEXITSTATUS(status) == CLI_USAGE ? CLI_USAGE : CLI_FAILED;
}

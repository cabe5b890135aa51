/*
 * invocation.h - one call of weft: the command, its options and arguments
 *
 * The tables of options and commands are what parsing, --help and the completion go by.
 */
#ifndef CLI_INVOCATION_H
#define CLI_INVOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_DIR_DEFAULT "/var/lib/weft"

/* What weft's exit status says; weft.1 has the words */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_UNREACHABLE = 3,
	CLI_TIMED_OUT = 4,
};

/* name, argument ("" for none), what it does */
#define CLI_OPTIONS(X)                                                                                        \
	X(NAME, "name", "NAME", "name of the new fabric")                                                     \
	X(LISTEN, "listen", "ADDR[:PORT]", "where the controller listens (port 4753)")                        \
	X(ADDRESS, "address", "ADDR[:PORT]", "where others reach it, if not at --listen (NAT, cloud VMs)")    \
	X(EXPIRES, "expires", "TIME", "how long the token is good for (1h)")                                  \
	X(ENDPOINT, "endpoint", "ADDR[:PORT]",                                                                \
		"where other hosts reach this one, if they cannot find out; up to 8 times")                   \
	X(PORT, "port", "PORT", "UDP port of this host's weftd (4754)")                                       \
	X(NO_REPORT_LOCAL, "no-report-local", "", "other hosts are not told of this machine's own addresses") \
	X(FORCE, "force", "", "join: replace an earlier enrolment; host rm: revoke the host, too")            \
	X(WAIT, "wait", "", "wait until all is up; that is the default")                                      \
	X(NO_WAIT, "no-wait", "", "return as soon as the controller has the change")                          \
	X(TIMEOUT, "timeout", "TIME", "how long to wait (30s)")                                               \
	X(LAB, "lab", "LAB", "only what belongs to this lab")                                                 \
	X(WATCH, "watch", "", "go on and show changes as they happen")                                        \
	X(COUNT, "count", "N", "how many probes (4); also -c")                                                \
	X(FROM, "from", "HOST", "the host that pings, asked by the controller")                               \
	X(JSON, "json", "", "JSON on standard output")                                                        \
	X(STATE, "state", "DIR", "state folder (" STATE_DIR_DEFAULT ")")                                      \
	X(HELP, "help", "", "show this")

enum cli_option {
#define X(name, text, argument, help) OPTION_##name,
	CLI_OPTIONS(X)
#undef X
		CLI_OPTIONS_COUNT
};

#define OPTION_BIT(name) (1U << OPTION_##name)

/* How often one may stand in a call */
#define OPTION_REPEATS_MAX 8U

struct invocation {
	const struct command *command;
	const char *values
		[CLI_OPTIONS_COUNT]; /* as typed, "" for one without argument; NULL where absent; of several, the last */
	const char
		*repeated[OPTION_REPEATS_MAX]; /* of the option that may stand several times: all of them, in order */
	size_t repeated_count;
	char **args; /* @arg_count of them */
	int arg_count;
	const char *state; /* the state folder */
};

struct command {
	const char *name;
	const char *arguments; /* "FILE.yaml" */
	const char *summary;
	const char *help;     /* paragraphs, 80 columns */
	unsigned int options; /* OPTION_BITs; --help, --json and --state come with every command */
	unsigned int repeats; /* OPTION_BIT of the one that may stand up to OPTION_REPEATS_MAX times */
	int args_min, args_max;
	bool passes_on; /* takes everything behind its name as it is */
	enum cli_exit (*run)(const struct invocation *in);
};

/**
 * invocation_parse() - read @argv by the command's table
 * @argc, @argv: from the command's name on
 * @out:	borrows @argv
 *
 * Return: CLI_OK, or CLI_USAGE after it has said on stderr what is wrong
 */
enum cli_exit invocation_parse(const struct command *command, int argc, char **argv, struct invocation *out)
	__attribute__((warn_unused_result));

static inline bool invocation_has(const struct invocation *in, enum cli_option option)
{
	return in->values[option] != 0;
}

/* A duration option, or @fallback_ms.  Return: false after it has said on stderr what is wrong */
bool invocation_duration(const struct invocation *in, enum cli_option option, uint64_t fallback_ms, uint64_t *out_ms)
	__attribute__((warn_unused_result));

/* What `weft help COMMAND` prints, to stdout */
void command_help(const struct command *command);

#endif /* CLI_INVOCATION_H */

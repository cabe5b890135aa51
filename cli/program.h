/*
 * program.h - running weft's other programs
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "cli/invocation.h"

/*
 * Become @name (found beside this program, in the sbin beside its folder, or in PATH) with @argv.  Returns only after
 * it has said why it could not.
 */
enum cli_exit program_become(const char *name, char *const argv[]);

/**
 * program_run() - run @name to its end; its standard output goes to ours' standard error
 *
 * Return: CLI_OK where it exited with 0; else CLI_USAGE for its 2 and CLI_FAILED for the rest: it has said why itself
 */
enum cli_exit program_run(const char *name, char *const argv[]) __attribute__((warn_unused_result));

#endif /* CLI_PROGRAM_H */

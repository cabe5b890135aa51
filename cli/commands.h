/*
 * commands.h - the commands of weft, each in the file of its name
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/invocation.h"

extern const struct command command_init;
extern const struct command command_token;
extern const struct command command_join;
extern const struct command command_apply;
extern const struct command command_delete;
extern const struct command command_get;
extern const struct command command_status;
extern const struct command command_events;
extern const struct command command_ping;
extern const struct command command_doctor;
extern const struct command command_revoke;
extern const struct command command_host;
extern const struct command command_controller;
extern const struct command command_agent;
extern const struct command command_measure;

#endif /* CLI_COMMANDS_H */

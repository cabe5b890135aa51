/*
 * folder.h - writing into the controller's state folder; its files are listed in controller/API.md, "Files"
 *
 * Each is replaced at once or not at all.  For what makes the folder (authority_create.h) and what changes it (authority_move.h).
 */
#ifndef CONTROLLER_FOLDER_H
#define CONTROLLER_FOLDER_H

#include "base/server_address.h"

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct folder_path {
	char text[PATH_MAX];
};

/* DIR/NAME; one that is too long names nothing that exists, and opening it fails */
struct folder_path folder_path(const char *dir, const char *name);

/* Return: 0 or -errno */
int folder_write(const char *dir, const char *name, const char *text, mode_t mode) __attribute__((warn_unused_result));

/* Consumes @value, NULL for one that memory was short for.  Return: 0 or -errno */
int folder_write_json(const char *dir, const char *name, json_t *value, mode_t mode)
	__attribute__((warn_unused_result));

/* Is that every address of the machine, to which nobody can connect? */
bool folder_listens_everywhere(const struct server_address *listen);

#endif /* CONTROLLER_FOLDER_H */

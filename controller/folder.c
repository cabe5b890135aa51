/*
 * folder.c - see folder.h
 */
#include "controller/folder.h"

#include "base/file.h"
#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct folder_path folder_path(const char *dir, const char *name)
{
	struct folder_path path;

	if (snprintf(path.text, sizeof(path.text), "%s/%s", dir, name) >= (int)sizeof(path.text))
		path.text[0] = '\0';
	return path;
}

int folder_write(const char *dir, const char *name, const char *text, mode_t mode)
{
	return file_write(folder_path(dir, name).text, text, strlen(text), mode);
}

int folder_write_json(const char *dir, const char *name, json_t *value, mode_t mode)
{
	char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
	int err = text ? folder_write(dir, name, text, mode) : -ENOMEM;

	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	json_decref(value);
	return err;
}

bool folder_listens_everywhere(const struct server_address *listen)
{
	return strcmp(listen->host, "0.0.0.0") == 0 || strcmp(listen->host, "::") == 0;
}

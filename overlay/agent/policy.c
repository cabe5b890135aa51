/*
 * policy.c - see policy.h
 */
#include "overlay/agent/policy.h"

#include "base/file.h"
#include "overlay/agent/config.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int take_names(const json_t *list, const char *where, struct policy *out, struct error *error)
{
	json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > POLICY_NAMES_MAX)
		return error_fail(error, -EINVAL, "%s: own_underlay must be a list of up to %u interfaces", where,
			POLICY_NAMES_MAX);
	json_array_foreach(list, i, item) {
		const char *name = json_string_value(item);

		if (!name || !attach_name_ok(name))
			return error_fail(error, -EINVAL, "%s: own_underlay[%zu] is no interface's name", where, i);
		memcpy(out->own_underlay[out->own_underlay_count++], name, strlen(name) + 1);
	}
	return 0;
}

static int take(json_t *document, const char *where, struct policy *out, struct error *error)
{
	const char *key;
	json_t *value;
	int err = 0;

	if (!json_is_object(document))
		return error_fail(error, -EINVAL, "%s: must be an object such as {\"own_underlay\": [\"eth0\"]}",
			where);
	json_object_foreach(document, key, value) {
		if (strcmp(key, "own_underlay") != 0)
			return error_fail(error, -EINVAL, "%s: '%.40s' is not known; there is: own_underlay", where,
				key);
		err = take_names(value, where, out, error);
		if (err)
			break;
	}
	return err;
}

int policy_parse(const char *text, size_t text_bytes, const char *where, struct policy *out, struct error *error)
{
	struct policy policy = { 0 };
	json_error_t at;
	json_t *document = json_loadb(text, text_bytes, JSON_REJECT_DUPLICATES, &at);
	int err;

	if (!document)
		return error_fail(error, -EINVAL, "%s:%d: %s", where, at.line, at.text);
	err = take(document, where, &policy, error);
	json_decref(document);
	if (!err)
		*out = policy;
	return err;
}

/* May others than the owner of this host have written it? */
static bool is_anybodys(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 &&
		((about.st_mode & (S_IWGRP | S_IWOTH)) || (about.st_uid != 0 && about.st_uid != geteuid()));
}

int policy_load(const char *state, struct policy *out, struct error *error)
{
	char path[PATH_MAX], *text;
	size_t text_bytes;
	int err;

	*out = (struct policy){ 0 };
	if (!config_path(state, POLICY_FILE, path))
		return error_fail(error, -ENAMETOOLONG, "%s: the path is too long", state);
	err = file_read(path, POLICY_BYTES_MAX, &text, &text_bytes);
	if (err == -ENOENT)
		return 0;
	if (err)
		return error_fail(error, err, "%s: %s", path, strerror(-err));
	if (is_anybodys(path))
		err = error_fail(error, -EPERM, "%s: others may write it: chown root, chmod go-w", path);
	else
		err = policy_parse(text, text_bytes, path, out, error);
	free(text);
	return err;
}

bool policy_allows_own_underlay(const struct policy *policy, const char *name)
{
	for (uint32_t i = 0; i < policy->own_underlay_count; i++)
		if (strcmp(policy->own_underlay[i], name) == 0)
			return true;
	return false;
}

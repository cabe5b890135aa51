/*
 * json.h - typed reading of JSON objects, with errors that say where
 *
 * A struct json_in walks one document.  The first thing that is wrong is kept, with its place, and everything
 * after it reads as empty, so that callers check once.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_in {
	char error[256]; /* "" while all is well; else "ports.a-lan.host: missing" */
};

/**
 * json_in_string() - a required string member
 * @where:	the object's own place, for errors ("" at the top)
 *
 * Return: borrowed from @object; "" after an error
 */
const char *json_in_string(struct json_in *in, const char *where, const json_t *object, const char *key);

/* The same for a member that may be absent: @fallback then (which may be NULL) */
const char *json_in_string_or(struct json_in *in, const char *where, const json_t *object, const char *key,
	const char *fallback);

/* A required integer within @min..@max; @min after an error */
int64_t json_in_int(struct json_in *in, const char *where, const json_t *object, const char *key, int64_t min,
	int64_t max);

/* The same for a member that may be absent */
int64_t json_in_int_or(struct json_in *in, const char *where, const json_t *object, const char *key, int64_t min,
	int64_t max, int64_t fallback);

/* A member that may be absent, of type @type; NULL where it is, borrowed otherwise */
json_t *json_in_member_or(struct json_in *in, const char *where, const json_t *object, const char *key, json_type type);

/* Note an error of the caller's own, unless there is one already */
void json_in_fail(struct json_in *in, const char *where, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Reading what was checked when it came in, or what may be absent: the member's text, NULL where it is none, and its whole
 * number, 0 where it is none.  Borrowed; @object may be NULL.
 */
const char *json_text_of(const json_t *object, const char *key);
json_int_t json_int_of(const json_t *object, const char *key);

static inline bool json_in_ok(const struct json_in *in)
{
	return in->error[0] == '\0';
}

#endif /* BASE_JSON_H */

/*
 * fault.c - see fault.h
 */
#include "lab/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A cut may have gone through the middle of a UTF-8 character; jansson refuses such text */
static void mend_end(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && (text[len - 1] & 0xc0) == 0x80)
		len--;
	if (len > 0 && (text[len - 1] & 0xc0) == 0xc0)
		text[len - 1] = '\0';
}

/* What strangers sent may be quoted here, and goes to logs and terminals: no control characters */
static void write_text(char *out, size_t cap_bytes, const char *format, va_list args)
{
	if (vsnprintf(out, cap_bytes, format, args) >= (int)cap_bytes)
		mend_end(out);
	for (char *at = out; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
}

bool fault_set(struct fault *fault, int status, const char *where, const char *format, ...)
{
	va_list args;

	if (fault->status)
		return false;
	fault->status = status;
	if (snprintf(fault->where, sizeof(fault->where), "%s", where) >= (int)sizeof(fault->where))
		mend_end(fault->where);
	va_start(args, format);
	write_text(fault->message, sizeof(fault->message), format, args);
	va_end(args);
	return false;
}

void fault_hint(struct fault *fault, const char *format, ...)
{
	va_list args;

	if (fault->hint[0])
		return;
	va_start(args, format);
	write_text(fault->hint, sizeof(fault->hint), format, args);
	va_end(args);
}

bool fault_store(struct fault *fault, int err)
{
	if (err == -EAGAIN)
		return fault_set(fault, 409, "", "somebody else changed the same thing at the same time; try again");
	return fault_set(fault, 503, "", "the store could not be written (%s); nothing was changed", strerror(-err));
}

static json_t *error_of(const struct fault *fault)
{
	json_t *error = json_pack("{s:s}", "message", fault->message);

	if (error && fault->where[0])
		json_object_set_new(error, "where", json_string(fault->where));
	if (error && fault->hint[0])
		json_object_set_new(error, "hint", json_string(fault->hint));
	return error;
}

json_t *fault_body(const struct fault *fault)
{
	json_t *body = json_pack("{s:o}", "error", error_of(fault));

	if (body && json_array_size(fault->all))
		json_object_set(body, "errors", fault->all);
	return body;
}

void fault_note(struct fault *first, const struct fault *fault)
{
	json_t *all = first->all;

	json_array_append_new(all, error_of(fault));
	if (first->status)
		return;
	*first = *fault;
	first->all = all;
}

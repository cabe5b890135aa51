/*
 * fault.h - what was wrong with a request: the error body of the API
 *
 * controller/API.md, "Conventions".  The first fault of a request is the one that its caller hears of, but where a check finds all there
 * are.
 */
#ifndef LAB_FAULT_H
#define LAB_FAULT_H

#include <jansson.h>
#include <stdbool.h>

struct fault {
	int status;      /* HTTP's; 0 while all is well */
	char where[320]; /* "ports.a-lan.host"; "" where the whole is at fault */
	char message[256];
	char hint[320]; /* "" for none */
	json_t *all; /* borrowed: a list to which a check that goes on adds each fault as fault_body() shows it; NULL: the first is enough */
};

/* Note a fault, unless there is one.  Return: false always, so that a check can `return fault_set(...)` */
bool fault_set(struct fault *fault, int status, const char *where, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Say what to do instead, about the fault that was just set */
void fault_hint(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fault for -errno of the store: -EAGAIN is a conflict, all else means that nothing was changed.  Return: false */
bool fault_store(struct fault *fault, int err);

/* Return: {"error": {...}}, with "errors" where `all` has some; NULL where memory is short */
json_t *fault_body(const struct fault *fault);

/* Add @fault to the list of @first, and take it for that where there is none yet */
void fault_note(struct fault *first, const struct fault *fault);

#endif /* LAB_FAULT_H */

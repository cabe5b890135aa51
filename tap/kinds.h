/*
 * kinds.h - how each kind of attachment is opened; for tap/ only
 *
 * Made from the rows of lab/attach.h: a kind's file defines the one function that is declared for it here.
 */
#ifndef TAP_KINDS_H
#define TAP_KINDS_H

#include "lab/attach.h"
#include "tap/kept.h"
#include "tap/port.h"

/* As tap_port_open(), and as tap_port_take() unless @kept is NULL; two kinds may share a file, which tells them by spec->kind */
#define X(name, prefix, target, file)                                                                \
	int file##_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, \
		struct tap_port **out, struct error *error) __attribute__((warn_unused_result));
ATTACH_KINDS(X)
#undef X

/* The one of @spec's kind */
int kind_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error) __attribute__((warn_unused_result));

#endif /* TAP_KINDS_H */

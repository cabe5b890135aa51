/*
 * authority_create.h - a new fabric: CA, TLS key, operator's credentials and an empty store, in a folder
 *
 * `weft-controller --init`.  The files are listed in controller/API.md, "Files".
 */
#ifndef CONTROLLER_AUTHORITY_CREATE_H
#define CONTROLLER_AUTHORITY_CREATE_H

#include "base/error.h"

struct authority_wish {
	const char *dir;
	const char *name;
	const char *listen;  /* "ADDR[:PORT]", numeric */
	const char *address; /* "ADDR[:PORT]", numeric or a DNS name; NULL: as @listen */
};

/**
 * authority_create() - a new fabric in wish->dir, with a store
 * @error:	for the operator, on failure
 *
 * Return: 0, or -errno with nothing left behind
 */
int authority_create(const struct authority_wish *wish, struct error *error) __attribute__((warn_unused_result));

#endif /* CONTROLLER_AUTHORITY_CREATE_H */

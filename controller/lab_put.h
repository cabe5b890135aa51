/*
 * lab_put.h - a lab as it shall be, against what is: the difference, in one transaction
 *
 * The answers are those of PUT and DELETE /v1/labs/NAME in controller/API.md.
 */
#ifndef CONTROLLER_LAB_PUT_H
#define CONTROLLER_LAB_PUT_H

#include "lab/fault.h"
#include "controller/model.h"

#include <jansson.h>

/**
 * lab_put() - validate, compute the difference, commit it
 * @in:		what the operator sent; borrowed
 *
 * Return: the answer, or NULL with @fault set and nothing changed
 */
json_t *lab_put(struct model *model, const char *name, const json_t *in, struct fault *fault);

/* Return: the answer, or NULL with @fault set */
json_t *lab_delete(struct model *model, const char *name, struct fault *fault);

#endif /* CONTROLLER_LAB_PUT_H */

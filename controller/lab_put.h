/*
 * lab_put.h - a lab as it shall be, against what is: the difference, as one transaction
 *
 * The answers are those of PUT and DELETE /v1/labs/NAME in controller/API.md.
 */
#ifndef CONTROLLER_LAB_PUT_H
#define CONTROLLER_LAB_PUT_H

#include "lab/fault.h"
#include "controller/model.h"

#include <jansson.h>

/**
 * lab_put() - validate, and compute the difference
 * @in:		what the operator sent; borrowed
 * @txn:	gets what makes it so, and stays empty where nothing changes
 *
 * Return: the answer, without its `rev` where something changes; or NULL with @fault set.  So do the others
 */
json_t *lab_put(struct model *model, const char *name, const json_t *in, struct store_txn *txn, struct fault *fault);

json_t *lab_delete(struct model *model, const char *name, struct store_txn *txn, struct fault *fault);

#endif /* CONTROLLER_LAB_PUT_H */

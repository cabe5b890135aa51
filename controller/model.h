/*
 * model.h - what is true in the fabric: hosts, labs, networks, ports
 *
 * The store's content in memory, with the indexes that validation and topologies need.  It changes in one way only: the
 * store tells of a change (store_subscribe()), the model follows, and once a whole commit is in, its owner hears which
 * hosts are touched.  So a shared store could drive it as well.  Objects are JSON as lists show them
 * (controller/API.md); borrowed references are good until the next commit.
 *
 * Keys in the store: authority, operator/NAME, token/HASH (model_get() and commits only), ids,
 * host/NAME, lab/NAME, network/LAB/NAME, port/LAB/NAME (followed here).
 */
#ifndef CONTROLLER_MODEL_H
#define CONTROLLER_MODEL_H

#include "lab/lab.h"
#include "controller/store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum model_kind {
	MODEL_HOST,
	MODEL_LAB,
	MODEL_NETWORK,
	MODEL_PORT,
	MODEL_KINDS,
};

struct model_listener {
	void *ctx;
	/* One object changed; @item as in the list of its kind (of a deleted one: as it was); not for hosts' runtime */
	void (*on_item)(void *ctx, enum model_kind kind, const json_t *item, bool deleted, uint64_t rev);
	/* The commit that ended in @rev is all in; the keys of @hosts are those whose topology may differ */
	void (*on_commit)(void *ctx, const json_t *hosts, uint64_t rev);
};

struct model;

/**
 * model_new() - read the whole store
 * @store:	borrowed; must outlive the model, which subscribes to it
 *
 * Return: 0, -EPROTO where the store holds what is not ours, -EIO or -ENOMEM
 */
int model_new(struct store *store, struct model **out) __attribute__((warn_unused_result));
void model_free(struct model *model);

void model_listen(struct model *model, const struct model_listener *listener);

uint64_t model_rev(const struct model *model);

/* {"name", "psk"} */
const json_t *model_fabric(const struct model *model);

/* {key: item} of a kind; keys are "NAME" or "LAB/NAME".  Labs: {"rev", "lab"} */
const json_t *model_all(const struct model *model, enum model_kind kind);

/* Items by name; NULL where there is none */
const json_t *model_host(const struct model *model, const char *name);
const json_t *model_lab(const struct model *model, const char *name);

/* {"LAB/NAME": port} of a host, or of a network by its id; NULL where there is none */
const json_t *model_host_ports(const struct model *model, const char *host);
const json_t *model_network_ports(const struct model *model, uint32_t network_id);
const json_t *model_network_by_id(const struct model *model, uint32_t network_id);
bool model_port_id_used(const struct model *model, uint32_t port_id);

/* Lab item of the list, out of a lab's stored value: {"name", "rev", "networks", "ports", "hosts"} */
json_t *model_lab_item(const json_t *stored, uint64_t rev);

/* The prefix under which a kind is stored, "host/" */
const char *model_prefix(enum model_kind kind);

/* What lab_check() asks of the world */
struct lab_world model_world(struct model *model);

/* Commit, and have everybody hear of it.  As store_commit(); fails with words in @fault. */
bool model_commit(struct model *model, const struct store_txn *txn, uint64_t *rev, struct fault *fault)
	__attribute__((warn_unused_result));

/* Read a key that the model does not follow.  Return: 0 with a new reference, -ENOENT, ... */
int model_get(struct model *model, const char *key, json_t **value, uint64_t *rev) __attribute__((warn_unused_result));
struct store *model_store(struct model *model);

/* store_txn_put() of a JSON value */
void model_put(struct store_txn *txn, const char *key, const json_t *value);

#endif /* CONTROLLER_MODEL_H */

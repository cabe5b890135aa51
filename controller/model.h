/*
 * model.h - what is true in the fabric: hosts, labs, networks, ports
 *
 * The store's content in memory, with the indexes that validation and topologies need.  It changes in one way only: the
 * store tells of a commit (store_subscribe()), the model follows, and once a whole commit is in, its owner hears which
 * hosts are touched.  So a shared store could drive it as well.  Objects are JSON as lists show them
 * (controller/API.md); borrowed references are good until the next commit.
 *
 * Keys in the store: authority, operator/NAME, token/HASH, ids (read with model_get(), listed by model_others()),
 * host/NAME, lab/NAME, network/LAB/NAME, port/LAB/NAME (with indexes).
 *
 * Theory of operation.  A change (struct model_change) waits -> is prepared -> is stored -> is done, and only one is between
 * prepared and done.  It is prepared against a model that has all changes before it, so that two at once cannot contradict each
 * other, whatever they looked at; what a shared store would add is a conflict that its expectations find (409).  The model has a
 * change only when the store has it: were it ahead, agents and operators would have heard of what a power cut takes back, and a
 * failed write would have to be undone in everybody who heard.  What this costs is that changes go at the pace of the disk, one
 * for each write that it makes durable.  There is no limit to how many wait, since each is its owner's memory: one for
 * each connection, one for each host.
 */
#ifndef CONTROLLER_MODEL_H
#define CONTROLLER_MODEL_H

#include "controller/store/store.h"
#include "lab/lab_check.h"

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

struct model_change {
	/* Put into @txn what shall be, judging by the model as it is.  Return: false with @fault set.  An empty @txn is a change
	 * that is none, and done at once */
	bool (*prepare)(struct model_change *change, struct store_txn *txn, struct fault *fault);
	/* It is in the store and in the model, where @fault is NULL; @rev: its revision, the model's where nothing changed */
	void (*done)(struct model_change *change, uint64_t rev, const struct fault *fault);

	/* the model's, while it waits or is under way */
	STAILQ_ENTRY(model_change) link;
	struct store_txn txn;
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

/* No change may be under way or wait.  NULL is fine. */
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

/* Fault 404: there is no such host or lab; the hint is a name that may have been meant.  Return: false */
bool model_missing(const struct model *model, enum model_kind kind, const char *name, struct fault *fault);

/* {"LAB/NAME": port} of a host, or of a network by its id; NULL where there is none */
const json_t *model_host_ports(const struct model *model, const char *host);
const json_t *model_network_ports(const struct model *model, uint32_t network_id);
const json_t *model_network_by_id(const struct model *model, uint32_t network_id);
bool model_port_id_used(const struct model *model, uint32_t port_id);

/* Names of the hosts that a lab's stored value mentions, sorted, each once: a new list */
json_t *model_lab_hosts(const json_t *stored);

/* Lab item of the list, out of a lab's stored value: {"name", "rev", "networks", "ports", "hosts"} */
json_t *model_lab_item(const json_t *stored, uint64_t rev);

/* The prefix under which a kind is stored, "host/" */
const char *model_prefix(enum model_kind kind);

/* What lab_check() asks of the world */
struct lab_world model_world(struct model *model);

/* Make a change; its memory is the model's until `done`, which may come from within the call where nothing has to be stored */
void model_change(struct model *model, struct model_change *change);

/* A key that has no index; borrowed, NULL where there is none.  @rev: at which it was put; may be NULL */
const json_t *model_get(const struct model *model, const char *key, uint64_t *rev);

/* All keys without an index: {key: {"rev", "value"}} */
const json_t *model_others(const struct model *model);

struct store *model_store(const struct model *model);

/* store_txn_put() of a JSON value */
void model_put(struct store_txn *txn, const char *key, const json_t *value);

#endif /* CONTROLLER_MODEL_H */

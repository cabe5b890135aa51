/*
 * store_fixture.h - commits that are waited for, for the controller's tests
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "controller/store/store.h"

#include <errno.h>
#include <stdint.h>

struct stored {
	int err;
	uint64_t rev;
};

static inline void store_fixture_on_stored(void *ctx, int err, uint64_t rev)
{
	*(struct stored *)ctx = (struct stored){ err, rev };
}

/* Commit, and wait for it.  @txn is finished */
static inline int store_fixture_commit(struct store *store, struct store_txn *txn, uint64_t *rev)
{
	struct stored stored = { -EINPROGRESS, 0 };

	store_commit(store, txn, store_fixture_on_stored, &stored);
	store_wait(store);
	store_txn_fini(txn);
	if (rev)
		*rev = stored.rev;
	return stored.err;
}

#endif /* TESTS_STORE_FIXTURE_H */

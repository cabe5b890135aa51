/*
 * fdb_holder.h - inside the MAC table: which location holds how many learned entries, and which must go first
 *
 * For switch/fdb*.c only, and everything here needs the table's lock.  A holder is a location with at least one
 * learned entry, and a list of them in the order of their queueing, which an eviction goes through from its head.
 */
#ifndef SWITCH_FDB_HOLDER_H
#define SWITCH_FDB_HOLDER_H

#include "switch/fdb_table.h"

/* Return: whether @location may have one more learned entry */
bool fdb_holder_has_room(const struct fdb *fdb, uint64_t location);

/* Put a slot at the end of @location's list; only where fdb_holder_has_room() */
void fdb_holder_enqueue(struct fdb *fdb, uint32_t number, uint64_t location);

/* Out of its list, if it is in one; a holder without entries is forgotten */
void fdb_holder_dequeue(struct fdb *fdb, uint32_t number);

/* Return: the slot to evict, of the location that holds most, or 0 where nothing was learned */
uint32_t fdb_holder_victim(struct fdb *fdb);

#endif /* SWITCH_FDB_HOLDER_H */

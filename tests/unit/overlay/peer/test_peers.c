/*
 * test_peers.c - the table of peers against a naive model
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "overlay/peer/peers.h"

#define NAMES 200U
#define OPERATIONS 20000

static const struct instant now = { 1 };

static const char *name_of(uint32_t i)
{
	static char name[PEER_NAME_BYTES];

	snprintf(name, sizeof(name), "host-%u", i);
	return name;
}

static struct x25519_public key_of(uint32_t i)
{
	struct x25519_public key = { { 0 } };

	memcpy(key.bytes + 11, &i, sizeof(i)); /* most of them alike */
	return key;
}

static struct peer *found(const struct peers *peers, uint32_t i)
{
	struct x25519_public key = key_of(i);
	struct peer *peer = peers_named(peers, name_of(i));

	assert_ptr_equal(peers_with_key(peers, &key), peer);
	return peer;
}

static struct peer *add(struct peers *peers, uint32_t i)
{
	struct x25519_public key = key_of(i);

	return peers_add(peers, name_of(i), &key, now);
}

static void drop(struct peers *peers, struct peer *peer)
{
	peers_remove(peers, peer);
	peer_free(peer);
}

static void against_a_model(void **state)
{
	struct peer *model[NAMES] = { NULL };
	bool hidden[NAMES] = { false };
	uint32_t count = 0;
	struct peers peers;

	(void)state;
	srand(1);
	peers_init(&peers, (struct hash_seed){ 1, 2 });
	assert_null(found(&peers, 0));
	assert_null(peers_at(&peers, 0));
	for (int n = 0; n < OPERATIONS; n++) {
		uint32_t i = (uint32_t)rand() % NAMES, slot = 0, seen = 0;

		if (!model[i]) {
			model[i] = add(&peers, i);
			assert_non_null(model[i]);
			hidden[i] = false;
			count++;
		} else if (rand() % 2) {
			peers_hide(&peers, model[i]);
			hidden[i] = true;
		} else {
			drop(&peers, model[i]);
			model[i] = NULL;
			count--;
		}
		assert_ptr_equal(found(&peers, i), hidden[i] ? NULL : model[i]);
		i = (uint32_t)rand() % NAMES;
		assert_ptr_equal(found(&peers, i), model[i] && !hidden[i] ? model[i] : NULL);
		if (model[i])
			assert_ptr_equal(peers_at(&peers, model[i]->slot), model[i]);
		if (n % 100 == 0) {
			while (peers_next(&peers, &slot))
				seen++;
			assert_int_equal(seen, count);
		}
	}
	for (uint32_t i = 0; i < NAMES; i++)
		if (model[i])
			drop(&peers, model[i]);
	peers_fini(&peers);
}

static void slots_are_given_out_again_the_lowest_first(void **state)
{
	struct peer *peer[6];
	struct peers peers;

	(void)state;
	peers_init(&peers, (struct hash_seed){ 1, 2 });
	for (uint32_t i = 0; i < 6; i++) {
		peer[i] = add(&peers, i);
		assert_int_equal(peer[i]->slot, i);
	}
	drop(&peers, peer[4]);
	drop(&peers, peer[1]);
	peer[1] = add(&peers, 11);
	assert_int_equal(peer[1]->slot, 1);
	peer[4] = add(&peers, 14);
	assert_int_equal(peer[4]->slot, 4);
	for (uint32_t i = 0; i < 6; i++)
		drop(&peers, peer[i]);
	peers_fini(&peers);
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
	struct peers peers;
	struct peer *peer;
	uint32_t slot = 0;

	(void)state;
	peers_init(&peers, (struct hash_seed){ 3, 4 });
	for (uint32_t i = 0; i < PEERS_MAX; i++) {
		peer = add(&peers, i);
		assert_non_null(peer);
		assert_int_equal(peer->slot, i);
	}
	assert_null(add(&peers, PEERS_MAX));
	for (uint32_t i = 0; i < PEERS_MAX; i++)
		assert_int_equal(found(&peers, i)->slot, i);
	while ((peer = peers_next(&peers, &slot)))
		drop(&peers, peer);
	assert_int_equal(peers.count, 0);
	peers_fini(&peers);
}

static void a_long_name_is_found_by_its_beginning(void **state)
{
	char name[2 * PEER_NAME_BYTES];
	struct x25519_public key = key_of(0);
	struct peers peers;
	struct peer *peer;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	peers_init(&peers, (struct hash_seed){ 1, 2 });
	peer = peers_add(&peers, name, &key, now);
	assert_ptr_equal(peers_named(&peers, name), peer);
	drop(&peers, peer);
	peers_fini(&peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_model),
		cmocka_unit_test(slots_are_given_out_again_the_lowest_first),
		cmocka_unit_test(there_is_room_for_so_many_and_no_more),
		cmocka_unit_test(a_long_name_is_found_by_its_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_model.c - changes one by one, what a commit tells, and what is no store of ours
 */
#include "controller/model.h"

#include "tests/unit/controller/core_fixture.h"

struct fixture {
	struct store *store;
	struct model *model;
	json_t *touched; /* by the last commit */
	int commits;
};

static void on_commit(void *ctx, const json_t *hosts, uint64_t rev)
{
	struct fixture *f = ctx;

	assert_int_equal(rev, model_rev(f->model));
	json_decref(f->touched);
	f->touched = json_deep_copy(hosts);
	f->commits++;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct model_listener listener = { .ctx = f, .on_commit = on_commit };

	f->store = core_store();
	assert_int_equal(model_new(f->store, &f->model), 0);
	model_listen(f->model, &listener);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	store_close(f->store);
	json_decref(f->touched);
	free(f);
	return 0;
}

/* A change that counts one up in a key that has no index */
struct counting {
	struct model_change change; /* first */
	struct model *model;
	int prepared, done; /* the order among all */
	int saw;            /* the number that it found */
	bool refuses, nothing;
	struct counting *next; /* begun from within `done` */
	int status;
	uint64_t rev;
};

static int order;

static bool count_up(struct model_change *change, struct store_txn *txn, struct fault *fault)
{
	struct counting *c = (struct counting *)change;
	json_t *value;

	c->prepared = ++order;
	c->saw = (int)json_integer_value(json_object_get(model_get(c->model, "count", NULL), "n"));
	if (c->refuses)
		return fault_set(fault, 400, "", "no");
	if (c->nothing)
		return true;
	value = json_pack("{s:i}", "n", c->saw + 1);
	model_put(txn, "count", value);
	json_decref(value);
	return true;
}

static void counted(struct model_change *change, uint64_t rev, const struct fault *fault)
{
	struct counting *c = (struct counting *)change;

	assert_int_equal(c->done, 0);
	c->done = ++order;
	c->rev = rev;
	c->status = fault ? fault->status : 0;
	if (c->next) {
		model_change(c->model, &c->next->change);
		assert_int_equal(c->next->prepared, 0); /* whoever waited comes first */
	}
}

static struct counting counting(struct fixture *f)
{
	return (struct counting){ .change = { .prepare = count_up, .done = counted }, .model = f->model };
}

static void one_by_one(void **state)
{
	struct fixture *f = *state;
	struct counting a = counting(f), b = counting(f), refused = counting(f), nothing = counting(f), c = counting(f),
			last = counting(f);

	order = 0;
	refused.refuses = true;
	nothing.nothing = true;
	a.next = &last;
	model_change(f->model, &a.change);
	model_change(f->model, &b.change);
	model_change(f->model, &refused.change);
	model_change(f->model, &nothing.change);
	model_change(f->model, &c.change);
	assert_int_equal(order, 1); /* a is prepared, and the rest waits */
	store_wait(f->store);
	assert_true(a.done < b.prepared && b.done < refused.prepared && refused.done < nothing.prepared &&
		nothing.done < c.prepared && c.done < last.prepared && last.done == order);
	assert_int_equal(refused.status, 400);
	assert_int_equal(a.saw + 1, b.saw);
	assert_int_equal(b.saw + 1, c.saw);
	assert_int_equal(c.saw + 1, last.saw);
	assert_int_equal(nothing.rev, b.rev);
	assert_int_equal(last.rev, model_rev(f->model));
	assert_int_equal(f->commits, 4);
}

/* Without anybody under way what has nothing to store is done at once */
static void at_once(void **state)
{
	struct fixture *f = *state;
	struct counting refused = counting(f), nothing = counting(f);

	refused.refuses = true;
	nothing.nothing = true;
	model_change(f->model, &refused.change);
	model_change(f->model, &nothing.change);
	assert_int_equal(refused.status, 400);
	assert_int_equal(nothing.rev, 1);
	assert_int_equal(f->commits, 0);
}

/* The store lost it: the model never had it, and those behind it find what was before */
static void what_is_not_stored_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct counting lost = counting(f), behind = counting(f), later = counting(f);

	model_change(f->model, &lost.change);
	model_change(f->model, &behind.change);
	assert_null(model_get(f->model, "count", NULL));
	store_memory_crash(f->store);
	assert_int_equal(lost.status, 503);
	assert_int_equal(behind.status, 503);
	assert_int_equal(behind.saw, 0);
	assert_null(model_get(f->model, "count", NULL));
	model_change(f->model, &later.change);
	store_wait(f->store);
	assert_int_equal(later.status, 0);
	assert_int_equal(json_integer_value(json_object_get(model_get(f->model, "count", NULL), "n")), 1);
}

static void store_put(struct fixture *f, const char *const keys_and_values[], size_t count)
{
	struct store_txn txn;

	store_txn_init(&txn);
	for (size_t i = 0; i < count; i += 2)
		store_txn_put(&txn, keys_and_values[i], keys_and_values[i + 1]);
	assert_int_equal(store_fixture_commit(f->store, &txn, NULL), 0);
}

static void touched(struct fixture *f, const char *names)
{
	char text[64] = "";
	const char *name;
	json_t *unused;

	json_object_foreach(f->touched, name, unused)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", text[0] ? " " : "", name);
	for (const char *at = names; *at; at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' ')) {
		char one[16];

		snprintf(one, sizeof(one), "%.*s", (int)strcspn(at, " "), at);
		if (!json_object_get(f->touched, one))
			fail_msg("%s is not among %s", one, text);
	}
	assert_int_equal(strlen(text), strlen(names));
}

#define NETWORK "{\"id\":7,\"lab\":\"l\",\"name\":\"n\",\"mtu\":1500}"
#define PORT(id, name, host, attach)                                                                                   \
	"{\"id\":" id ",\"lab\":\"l\",\"name\":\"" name "\",\"host\":\"" host "\",\"network\":\"n\",\"network_id\":7," \
	"\"attach\":\"" attach "\"}"

static void who_is_touched(void **state)
{
	static const char *const lab[] = { "network/l/n", NETWORK, "port/l/a", PORT("1", "a", "h1", "tap:a"),
		"port/l/b", PORT("2", "b", "h2", "tap:b") };
	static const char *const other[] = { "network/l/n", "{\"id\":7,\"lab\":\"l\",\"name\":\"n\",\"mtu\":1400}" };
	static const char *const moved[] = { "port/l/b", PORT("2", "b", "h3", "tap:b") };
	static const char *const host[] = { "host/h3", "{\"name\":\"h3\"}" };
	static const char *const nobody[] = { "token/x", "{}" };
	struct fixture *f = *state;
	struct lab_world world = model_world(f->model);

	store_put(f, lab, 6);
	touched(f, "h1 h2");
	assert_string_equal(world.attached_by(world.ctx, "h2", "b", "m"), "l/b");
	assert_null(world.attached_by(world.ctx, "h2", "b", "l"));
	store_put(f, other, 2);
	touched(f, "h1 h2");
	store_put(f, moved, 2); /* from h2 to h3 */
	touched(f, "h1 h2 h3");
	assert_null(world.attached_by(world.ctx, "h2", "b", "m"));
	assert_non_null(world.attached_by(world.ctx, "h3", "b", "m"));
	assert_null(model_host_ports(f->model, "h2"));
	assert_int_equal(json_object_size(model_network_ports(f->model, 7)), 2);
	store_put(f, host, 2);
	touched(f, "h1 h3");
	store_put(f, nobody, 2);
	touched(f, "");
	assert_non_null(model_get(f->model, "token/x", NULL));
}

static void what_is_missing_has_a_neighbour(void **state)
{
	static const char *const hosts[] = { "host/aws-1", "{\"name\":\"aws-1\"}", "host/gcp-1",
		"{\"name\":\"gcp-1\"}" };
	struct fixture *f = *state;
	struct fault near = { .status = 0 }, far = { .status = 0 };

	store_put(f, hosts, 4);
	assert_false(model_missing(f->model, MODEL_HOST, "asw-1", &near));
	assert_int_equal(near.status, 404);
	assert_string_equal(near.message, "there is no host \"asw-1\"");
	assert_string_equal(near.hint, "did you mean \"aws-1\"?");
	assert_false(model_missing(f->model, MODEL_LAB, "two-sites", &far));
	assert_string_equal(far.message, "there is no lab \"two-sites\"");
	assert_string_equal(far.hint, "`weft get labs` lists them");
}

/* Keys that hold what is not ours */
static void strange_stores(void **state)
{
	static const char *const bad[][2] = { { "host/h1", "7" }, { "host/h1", "{" }, { "fabric", "{}" },
		{ "port/l/p", "{\"host\":\"h\",\"name\":\"p\",\"lab\":\"l\",\"attach\":\"x\"}" },
		{ "network/l/n", "{\"id\":1}" }, { "token/x", "" } };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct store *store = core_store();
		struct model *model = NULL;
		struct store_txn txn;

		store_txn_init(&txn);
		store_txn_put(&txn, bad[i][0], bad[i][1]);
		assert_int_equal(store_fixture_commit(store, &txn, NULL), 0);
		assert_int_equal(model_new(store, &model), -EPROTO);
		store_close(store);
	}
	assert_string_equal(core_text(model_fabric(f->model), "name"), "homelab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_by_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_stored_is_not_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_touched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_missing_has_a_neighbour, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strange_stores, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_host_addresses.c - what is told of where a host is, in which order, and what is refused or left out
 */
#include "controller/host_addresses.h"

#include "lab/limits.h"
#include "tests/unit/controller/core_fixture.h"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct core_fixture));
	core_init(*state);
	return 0;
}

static int tear_down(void **state)
{
	core_fini(*state);
	free(*state);
	return 0;
}

/* A host with @text's members, and port 4760 */
static json_t *host_with(const char *text)
{
	json_t *host = json_loads(text, 0, NULL);

	assert_non_null(host);
	json_object_set_new(host, "port", json_integer(4760));
	return host;
}

static void assert_list(json_t *list, const char *want)
{
	char *text = json_dumps(list, JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(list);
}

static void assert_addresses(const char *host_text, const char *want)
{
	json_t *host = host_with(host_text);

	assert_list(host_addresses_of(host), want);
	json_decref(host);
}

/* The port is the host's where none is given; what others cannot reach is left out, also where an older controller let it in */
static void in_the_order_of_trust(void **state)
{
	(void)state;
	assert_addresses("{}", "[]");
	assert_addresses("{\"endpoint\":\"198.51.100.7\"}", "[\"198.51.100.7:4760\"]");
	assert_addresses("{\"endpoint\":\"198.51.100.7:4999\",\"address\":\"203.0.113.9\"}",
		"[\"198.51.100.7:4999\",\"203.0.113.9:4760\"]");
	assert_addresses("{\"address\":\"2001:db8::9\"}", "[\"[2001:db8::9]:4760\"]");
	assert_addresses("{\"endpoint\":\"nowhere\",\"address\":\"127.0.0.1\"}", "[]");
	assert_addresses("{\"endpoints\":[\"198.51.100.7\",\"2001:db8::7\"],\"addresses\":[\"192.168.0.7:4754\"],"
			 "\"seen\":[\"203.0.113.9\",\"203.0.113.8\"],\"witnessed\":[\"203.0.113.9:1024\"]}",
		"[\"198.51.100.7:4760\",\"[2001:db8::7]:4760\",\"192.168.0.7:4754\",\"203.0.113.9:4760\","
		"\"203.0.113.8:4760\",\"203.0.113.9:1024\"]");
	assert_addresses("{\"addresses\":[\"10.0.0.1:1\",\"10.0.0.1:1\"],\"seen\":[\"10.0.0.1\"]}",
		"[\"10.0.0.1:1\",\"10.0.0.1:4760\"]");
}

/* A host with many addresses of its own must not hide the one that the world knows it by */
static void there_is_room_for_what_others_saw(void **state)
{
	(void)state;
	assert_addresses("{\"addresses\":[\"10.0.0.1:1\",\"10.0.0.2:1\",\"10.0.0.3:1\",\"10.0.0.4:1\",\"10.0.0.5:1\","
			 "\"10.0.0.6:1\",\"10.0.0.7:1\",\"10.0.0.8:1\"],\"seen\":[\"203.0.113.9\"],"
			 "\"witnessed\":[\"203.0.113.9:1024\"]}",
		"[\"10.0.0.1:1\",\"10.0.0.2:1\",\"10.0.0.3:1\",\"10.0.0.4:1\",\"10.0.0.5:1\",\"203.0.113.9:4760\","
		"\"203.0.113.9:1024\"]");
}

static bool named(json_t *host, const struct model *model, const char *name, const char *list_text)
{
	json_t *list = json_loads(list_text, 0, NULL);
	bool is_new = host_addresses_named(host, model, name, list);

	json_decref(list);
	return is_new;
}

static void declare(const struct core_fixture *f, json_t *host, const char *list_text)
{
	json_t *list = json_loads(list_text, 0, NULL);
	struct fault fault = { 0 };

	assert_true(host_addresses_declare(list, f->model, host, &fault));
	json_decref(list);
}

/* A name is told as what it stands for, after declared addresses; in another order it is no other answer, and none changes nothing */
static void names_stand_for_addresses(void **state)
{
	struct core_fixture *f = *state;
	json_t *host = host_with("{\"addresses\":[\"10.0.0.1:1\"]}");

	declare(f, host, "[\"Home.Example.org\",\"198.51.100.7\",\"b.example:5000\"]");
	assert_list(json_incref(json_object_get(host, "endpoints")),
		"[\"home.example.org:4760\",\"198.51.100.7:4760\",\"b.example:5000\"]");
	assert_true(host_addresses_declared(host));
	assert_list(host_addresses_of(host), "[\"198.51.100.7:4760\",\"10.0.0.1:1\"]");
	assert_true(named(host, f->model, "home.example.org:4760", "[\"203.0.113.9:4760\",\"203.0.113.8:4760\"]"));
	assert_false(named(host, f->model, "home.example.org:4760", "[\"203.0.113.8:4760\",\"203.0.113.9:4760\"]"));
	assert_false(named(host, f->model, "home.example.org:4760", "[]"));
	assert_false(named(host, f->model, "home.example.org:4760", "[\"127.0.1.1:4760\",\"224.0.0.1:4760\"]"));
	assert_false(named(host, f->model, "other.example.org:4760", "[\"203.0.113.7:4760\"]"));
	assert_true(named(host, f->model, "b.example:5000", "[\"127.0.0.1:5000\",\"[2001:db8::7]:5000\"]"));
	assert_list(host_addresses_of(host),
		"[\"198.51.100.7:4760\",\"203.0.113.8:4760\",\"203.0.113.9:4760\",\"[2001:db8::7]:5000\",\"10.0.0.1:1\"]");
	/* what is declared no more is forgotten, the rest is not */
	declare(f, host, "[\"b.example:5000\"]");
	assert_list(host_addresses_of(host), "[\"[2001:db8::7]:5000\",\"10.0.0.1:1\"]");
	assert_true(named(host, f->model, "b.example:5000",
		"[\"10.1.1.9:1\",\"10.1.1.8:1\",\"10.1.1.7:1\",\"10.1.1.6:1\",\"10.1.1.5:1\",\"10.1.1.4:1\",\"10.1.1.3:1\","
		"\"10.1.1.2:1\",\"10.1.1.1:1\"]"));
	assert_int_equal(json_array_size(json_object_get(json_object_get(host, "named"), "b.example:5000")), 8);
	declare(f, host, "[]");
	assert_null(json_object_get(host, "named"));
	assert_list(host_addresses_of(host), "[\"10.0.0.1:1\"]");
	json_decref(host);
}

static void people_are_told_what_is_no_use(void **state)
{
	static const struct {
		const char *list, *why;
	} bad[] = {
		{ "[\"127.0.0.1\"]", "the loopback's address" },
		{ "[\"198.51.100.7\",\"[::1]:4754\"]", "the loopback's address" },
		{ "[\"0.0.0.0\"]", "no address" },
		{ "[\"::\"]", "no address" },
		{ "[\"169.254.1.1\"]", "link-local" },
		{ "[\"fe80::1\"]", "link-local" },
		{ "[\"224.0.0.1\"]", "multicast" },
		{ "[\"ff02::1\"]", "multicast" },
		{ "[\"255.255.255.255\"]", "broadcast" },
		{ "[\"no where\"]", "addresses or DNS names" },
		{ "[\"198.51.100.7:0\"]", "addresses or DNS names" },
		{ "[\"198.51.100.700\"]", "addresses or DNS names" },
		{ "[\"home.example.org:0\"]", "addresses or DNS names" },
		{ "[1]", "addresses or DNS names" },
		{ "[\"a.example\",\"b.example\",\"c.example\",\"d.example\",\"e.example\"]", "at most 4 DNS names" },
		{ "{}", "list" },
		{ "[\"10.1.1.1\",\"10.1.1.2\",\"10.1.1.3\",\"10.1.1.4\",\"10.1.1.5\",\"10.1.1.6\",\"10.1.1.7\",\"10.1.1.8\","
		  "\"10.1.1.9\"]",
			"at most 8" },
	};
	struct core_fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *host = host_with("{\"endpoint\":\"198.51.100.1\"}"), *list = json_loads(bad[i].list, 0, NULL);
		struct fault fault = { 0 };

		assert_false(host_addresses_declare(list, f->model, host, &fault));
		assert_int_equal(fault.status, 400);
		if (!strstr(fault.message, bad[i].why))
			fail_msg("%s: %s", bad[i].list, fault.message);
		assert_non_null(json_object_get(host, "endpoint")); /* as it was */
		json_decref(host);
		json_decref(list);
	}
}

static void what_people_say_takes_the_place_of_before(void **state)
{
	struct core_fixture *f = *state;
	json_t *host = host_with("{\"endpoint\":\"198.51.100.1\"}"),
	       *list = json_pack("[s, s]", "198.51.100.7", "2001:db8::7");
	struct fault fault = { 0 };

	assert_true(host_addresses_declared(host));
	assert_true(host_addresses_declare(list, f->model, host, &fault));
	assert_list(host_addresses_of(host), "[\"198.51.100.7:4760\",\"[2001:db8::7]:4760\"]");
	json_array_clear(list);
	assert_true(host_addresses_declare(list, f->model, host, &fault));
	assert_false(host_addresses_declared(host));
	assert_list(host_addresses_of(host), "[]");
	json_decref(host);
	json_decref(list);
}

static bool sees(json_t *host, const char *text)
{
	struct endpoint from;

	assert_true(endpoint_parse(text, 1234, &from));
	return host_addresses_seen(host, &from);
}

static void what_others_see_is_kept_twice(void **state)
{
	json_t *host = host_with("{\"address\":\"203.0.113.1\"}");

	(void)state;
	assert_false(sees(host, "203.0.113.1"));
	assert_false(sees(host, "127.0.0.1"));
	assert_true(sees(host, "203.0.113.2"));
	assert_false(sees(host, "203.0.113.1"));
	assert_true(sees(host, "2001:db8::3"));
	assert_list(host_addresses_of(host), "[\"[2001:db8::3]:4760\",\"203.0.113.2:4760\"]");
	assert_true(host_addresses_witness(host, "203.0.113.2:1024"));
	assert_false(host_addresses_witness(host, "203.0.113.2:1024"));
	assert_false(host_addresses_witness(host, "203.0.113.2:4760")); /* known otherwise */
	assert_false(host_addresses_witness(host, "203.0.113.2"));
	assert_false(host_addresses_witness(host, "127.0.0.1:5"));
	assert_false(host_addresses_witness(host, "anywhere"));
	assert_true(host_addresses_witness(host, "203.0.113.2:1025"));
	assert_true(host_addresses_witness(host, "203.0.113.2:1026"));
	assert_int_equal(json_array_size(json_object_get(host, "witnessed")), HOST_SEEN_MAX);
	json_decref(host);
}

static void what_an_agent_says_is_sifted(void **state)
{
	json_t *host = host_with("{}"),
	       *list = json_loads("[\"192.0.2.1:4754\",\"127.0.0.1:4754\",\"192.0.2.1\",5,\"x\","
				  "\"[2001:db8::1]:4754\"]",
		       0, NULL),
	       *good = host_addresses_reported(list), *none = host_addresses_reported(NULL);

	(void)state;
	assert_false(host_addresses_report(host, none));
	assert_true(host_addresses_report(host, good));
	assert_false(host_addresses_report(host, good));
	assert_list(host_addresses_of(host), "[\"192.0.2.1:4754\",\"[2001:db8::1]:4754\"]");
	assert_true(host_addresses_report(host, none));
	json_decref(host);
	json_decref(list);
	json_decref(good);
	json_decref(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_order_of_trust),
		cmocka_unit_test(there_is_room_for_what_others_saw),
		cmocka_unit_test_setup_teardown(names_stand_for_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(people_are_told_what_is_no_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_people_say_takes_the_place_of_before, set_up, tear_down),
		cmocka_unit_test(what_others_see_is_kept_twice),
		cmocka_unit_test(what_an_agent_says_is_sifted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

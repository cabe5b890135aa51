/*
 * test_server_address.c - what people write for a server, in one form
 */
#include "base/server_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void good_ones(void **state)
{
	static const struct {
		const char *text, *formatted, *host;
		bool numeric;
	} cases[] = {
		{ "203.0.113.5", "203.0.113.5:4753", "203.0.113.5", true },
		{ "203.0.113.5:80", "203.0.113.5:80", "203.0.113.5", true },
		{ "[2001:db8::1]:99", "[2001:db8::1]:99", "2001:db8::1", true },
		{ "[2001:db8::1]", "[2001:db8::1]:4753", "2001:db8::1", true },
		{ "2001:DB8:0::1", "[2001:db8::1]:4753", "2001:db8::1", true },
		{ "ctl.example.org", "ctl.example.org:4753", "ctl.example.org", false },
		{ "ctl:65535", "ctl:65535", "ctl", false },
		{ "1and1.example", "1and1.example:4753", "1and1.example", false },
	};
	char text[SERVER_ADDRESS_TEXT_BYTES];
	struct server_address address;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(server_address_parse(cases[i].text, 4753, &address));
		assert_string_equal(address.host, cases[i].host);
		assert_int_equal(address.numeric, cases[i].numeric);
		server_address_format(&address, text);
		assert_string_equal(text, cases[i].formatted);
	}
}

static void bad_ones(void **state)
{
	static const char *const bad[] = { "", ":", ":1", "ctl:", "ctl:0", "ctl:65536", "ctl:99999999999", "ctl:+1",
		"-ctl", ".ctl", ".", "a b", "ctl:1:2", "1.2.3", "1.2.3.4.5", "1.2.3.4.5:1", "[2001:db8::1", "[]:1",
		"[::1]x", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:x", "http://ctl", "user@ctl", "ctl/", "ctl#x",
		"ctl?x", "ctl:-1" };
	struct server_address address;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(server_address_parse(bad[i], 4753, &address));
}

static void the_longest_name(void **state)
{
	char name[SERVER_HOST_BYTES + 8], text[SERVER_ADDRESS_TEXT_BYTES];
	struct server_address address;

	(void)state;
	memset(name, 'a', sizeof(name));
	strcpy(name + SERVER_HOST_BYTES - 1, ":65535");
	assert_true(server_address_parse(name, 4753, &address));
	server_address_format(&address, text);
	assert_string_equal(text, name);
	strcpy(name + SERVER_HOST_BYTES - 1, "a");
	assert_false(server_address_parse(name, 4753, &address));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(the_longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

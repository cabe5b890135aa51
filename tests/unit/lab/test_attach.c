/*
 * test_attach.c - attachment texts, good and bad
 */
#include "base/error.h"
#include "lab/attach.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void good_texts(void **state)
{
	static const struct {
		const char *text;
		enum attach_kind kind;
		const char *target;
	} good[] = {
		{ "bridge:br-lab", ATTACH_BRIDGE, "br-lab" },
		{ "tap:esx1-nic0", ATTACH_TAP, "esx1-nic0" },
		{ "tap:0123456789abcde", ATTACH_TAP, "0123456789abcde" },
		{ "packet:eth0.100", ATTACH_PACKET, "eth0.100" },
		{ "netns:leaf/e1", ATTACH_NETNS, "leaf/e1" },
		{ "netns:clab-evpn.1_leaf/0123456789abcde", ATTACH_NETNS, "clab-evpn.1_leaf/0123456789abcde" },
		{ "memory", ATTACH_MEMORY, "" },
	};
	struct error error = { "untouched" };
	struct attach spec;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		memset(&spec, 0xaa, sizeof(spec));
		assert_int_equal(attach_parse(good[i].text, &spec, &error), 0);
		assert_int_equal(spec.kind, good[i].kind);
		assert_string_equal(spec.target, good[i].target);
		assert_string_equal(spec.device, "");
		assert_false(spec.create);
		assert_int_equal(spec.mtu_bytes, 1500);
	}
	assert_string_equal(error.text, "untouched");
}

static void bad_texts_say_why(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "write bridge:NAME" },
		{ "bridge", "write bridge:NAME" },
		{ "br-lab", "write bridge:NAME" },
		{ "Bridge:br", "write bridge:NAME" },
		{ "memory:", "write bridge:NAME" },
		{ "vhost:x", "write bridge:NAME" },
		{ "bridge:", "1 to 15 characters" },
		{ "tap:0123456789abcdef", "1 to 15 characters" },
		{ "tap:a b", "1 to 15 characters" },
		{ "tap:a/b", "1 to 15 characters" },
		{ "tap:a:b", "1 to 15 characters" },
		{ "tap:tap%d", "1 to 15 characters" },
		{ "tap:.", "1 to 15 characters" },
		{ "tap:..", "1 to 15 characters" },
		{ "tap:all", "1 to 15 characters" },
		{ "packet:default", "1 to 15 characters" },
		{ "tap:t\n", "1 to 15 characters" },
		{ "netns:", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:leaf", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:/e1", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:leaf/", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:../e1", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:/run/netns/leaf/e1", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:leaf/e1/e2", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:le af/e1", "write netns:NAMESPACE/INTERFACE" },
		{ "netns:leaf/0123456789abcdef", "write netns:NAMESPACE/INTERFACE" },
		{ "tap:\xc3\xa4", "1 to 15 characters" },
	};
	struct attach spec, before;

	(void)state;
	memset(&spec, 0x55, sizeof(spec));
	before = spec;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error error = { "" };

		assert_int_equal(attach_parse(bad[i].text, &spec, &error), -EINVAL);
		assert_non_null(strstr(error.text, bad[i].why));
		assert_memory_equal(&spec, &before, sizeof(spec));
	}
}

static void a_long_text_fits_the_error(void **state)
{
	char text[2000];
	struct error error;
	struct attach spec;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(attach_parse(text, &spec, &error), -EINVAL);
	assert_true(strlen(error.text) < sizeof(error.text) - 1);
	memcpy(text, "tap:", 4);
	assert_int_equal(attach_parse(text, &spec, &error), -EINVAL);
	assert_true(strlen(error.text) < sizeof(error.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts),
		cmocka_unit_test(bad_texts_say_why),
		cmocka_unit_test(a_long_text_fits_the_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

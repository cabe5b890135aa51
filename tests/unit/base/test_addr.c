/*
 * test_addr.c - MAC addresses and endpoints, from text and back
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void good_macs(void **state)
{
	struct mac mac, other;
	char text[MAC_TEXT_BYTES];

	(void)state;
	assert_true(mac_parse("52:54:00:AB:cd:0f", &mac));
	assert_memory_equal(mac.bytes, ((uint8_t[]){ 0x52, 0x54, 0x00, 0xab, 0xcd, 0x0f }), MAC_BYTES);
	mac_format(&mac, text);
	assert_string_equal(text, "52:54:00:ab:cd:0f");
	assert_true(mac_parse("52-54-00-ab-cd-0f", &other));
	assert_true(mac_equal(&mac, &other));
	assert_false(mac_is_group(&mac));
	assert_true(mac_parse("01:80:c2:00:00:00", &other));
	assert_true(mac_is_group(&other));
	assert_false(mac_equal(&mac, &other));
	assert_true(mac_parse("ff:ff:ff:ff:ff:ff", &other));
	assert_true(mac_is_group(&other));
}

static void bad_macs(void **state)
{
	static const char *const bad[] = { "", ":", "52:54:00:ab:cd", "52:54:00:ab:cd:0",
		"52:54:00:ab:cd:0f:", "52:54:00:ab:cd:0f:11", "525400abcd0f", "52:54:00:ab:cd:0g", "52:54:00:ab:cd 0f",
		" 2:54:00:ab:cd:0f", "52.54.00.ab.cd.0f", "5254:00:ab:cd::0f" };
	struct mac mac = { { 1, 2, 3, 4, 5, 6 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mac_parse(bad[i], &mac));
	assert_int_equal(mac.bytes[0], 1);
}

static void assert_endpoint(const char *text, const char *want)
{
	char got[ENDPOINT_TEXT_BYTES];
	struct endpoint endpoint;

	if (!endpoint_parse(text, 4754, &endpoint))
		fail_msg("%s is refused", text);
	endpoint_format(&endpoint, got);
	assert_string_equal(got, want);
}

static void good_endpoints(void **state)
{
	struct endpoint endpoint;

	(void)state;
	assert_endpoint("198.51.100.7", "198.51.100.7:4754");
	assert_endpoint("198.51.100.7:1", "198.51.100.7:1");
	assert_endpoint("198.51.100.7:65535", "198.51.100.7:65535");
	assert_endpoint("2001:db8::1", "[2001:db8::1]:4754");
	assert_endpoint("[2001:db8::1]", "[2001:db8::1]:4754");
	assert_endpoint("[2001:db8::1]:99", "[2001:db8::1]:99");
	assert_endpoint("::", "[::]:4754");
	assert_endpoint("[::ffff:192.0.2.1]:5", "192.0.2.1:5");
	assert_true(endpoint_parse("192.0.2.1", 1, &endpoint));
	assert_true(endpoint_is_v4(&endpoint));
	assert_true(endpoint_parse("2001:db8::1", 1, &endpoint));
	assert_false(endpoint_is_v4(&endpoint));
}

static void bad_endpoints(void **state)
{
	static const char *const bad[] = { "", ":", "[", "[]", "]", "198.51.100", "198.51.100.256",
		"198.51.100.7:", "198.51.100.7:0", "198.51.100.7:65536", "198.51.100.7:+1", "198.51.100.7:1x",
		"198.51.100.7:99999999999999999999", "[198.51.100.7", "[2001:db8::1", "[2001:db8::1]x",
		"[2001:db8::1]:", "[2001:db8::1]:0", "2001:db8::1::2", "host.example", "host.example:80",
		"198.51.100.7 ",
		"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111" };
	struct endpoint endpoint;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (endpoint_parse(bad[i], 4754, &endpoint))
			fail_msg("\"%s\" is taken", bad[i]);
	assert_false(endpoint_parse("198.51.100.7", 0, &endpoint)); /* no port anywhere */
}

static void equality_needs_every_part(void **state)
{
	struct endpoint one, two;

	(void)state;
	assert_true(endpoint_parse("[fe80::1]:5", 1, &one) && endpoint_parse("[fe80::1]:5", 1, &two));
	assert_true(endpoint_equal(&one, &two));
	two.port = 6;
	assert_false(endpoint_equal(&one, &two));
	two = one;
	two.scope_id = 2;
	assert_false(endpoint_equal(&one, &two));
	two = one;
	two.ip[15] ^= 1;
	assert_false(endpoint_equal(&one, &two));
}

static void our_own_end_is_apart(void **state)
{
	struct endpoint one, two;
	char text[ENDPOINT_TEXT_BYTES];

	(void)state;
	assert_true(endpoint_parse("192.0.2.1", 1, &one) && endpoint_parse("192.0.2.2", 1, &two));
	assert_false(endpoint_has_local(&one));
	endpoint_format_local(&one, text);
	assert_string_equal(text, "");
	memcpy(one.local_ip, two.ip, IP_BYTES);
	two = one;
	assert_true(endpoint_same_local(&one, &two));
	memset(two.local_ip, 0, IP_BYTES);
	assert_true(endpoint_equal(&one, &two));
	assert_false(endpoint_same_local(&one, &two));
	assert_true(endpoint_has_local(&one));
	endpoint_format_local(&one, text);
	assert_string_equal(text, "192.0.2.2");
	assert_true(endpoint_parse("2001:db8::1", 1, &two));
	memcpy(one.local_ip, two.ip, IP_BYTES);
	endpoint_format_local(&one, text);
	assert_string_equal(text, "2001:db8::1");
}

static void through_sockaddr_and_back(void **state)
{
	struct sockaddr_storage storage;
	struct endpoint in, out;
	socklen_t len;

	(void)state;
	assert_true(endpoint_parse("192.0.2.1:4754", 1, &in));
	len = endpoint_to_sockaddr(&in, AF_INET, &storage);
	assert_int_equal(len, sizeof(struct sockaddr_in));
	assert_int_equal(((struct sockaddr_in *)&storage)->sin_port, htons(4754));
	assert_int_equal(((struct sockaddr_in *)&storage)->sin_addr.s_addr, htonl(0xc0000201));
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&storage, len, &out));
	assert_true(endpoint_equal(&in, &out));
	assert_false(endpoint_from_sockaddr((struct sockaddr *)&storage, len - 1, &out));
	len = endpoint_to_sockaddr(&in, AF_INET6, &storage); /* mapped */
	assert_int_equal(len, sizeof(struct sockaddr_in6));
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&storage, len, &out));
	assert_true(endpoint_equal(&in, &out));
	assert_false(endpoint_from_sockaddr((struct sockaddr *)&storage, len - 1, &out));
	assert_true(endpoint_parse("[2001:db8::1]:4754", 1, &in));
	in.scope_id = 3;
	assert_int_equal(endpoint_to_sockaddr(&in, AF_INET, &storage), 0);
	assert_int_equal(endpoint_to_sockaddr(&in, AF_UNIX, &storage), 0);
	len = endpoint_to_sockaddr(&in, AF_INET6, &storage);
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&storage, len, &out));
	assert_true(endpoint_equal(&in, &out));
	storage.ss_family = AF_UNIX;
	assert_false(endpoint_from_sockaddr((struct sockaddr *)&storage, sizeof(storage), &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_macs),
		cmocka_unit_test(bad_macs),
		cmocka_unit_test(good_endpoints),
		cmocka_unit_test(bad_endpoints),
		cmocka_unit_test(equality_needs_every_part),
		cmocka_unit_test(our_own_end_is_apart),
		cmocka_unit_test(through_sockaddr_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

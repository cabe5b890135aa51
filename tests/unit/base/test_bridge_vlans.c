/*
 * test_bridge_vlans.c - messages about VLANs, against those of iproute2 6.1
 *
 * The bytes are what `bridge vlan` of Debian 12 sends for the port with the number 4; its sequence numbers, the time, are set to ours.
 */
#include "base/bridge_vlans.h"

#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define PORT 4

static _Alignas(struct nlmsghdr) char buffer[BRIDGE_VLANS_MESSAGE_BYTES];

static void assert_bytes(const char *hex)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
	char got[2 * BRIDGE_VLANS_MESSAGE_BYTES + 1] = "";

	for (uint32_t i = 0; i < header->nlmsg_len; i++)
		snprintf(got + (size_t)2 * i, 3, "%02x", (unsigned char)buffer[i]);
	assert_string_equal(got, hex);
}

static void as_bridge_vlan_add_and_del(void **state)
{
	struct bridge_vlans vlans = { .pvid = 10 };

	(void)state;
	bridge_vlans_add(&vlans, 10, true); /* bridge vlan add dev v0 vid 10 pvid untagged */
	assert_int_equal(bridge_vlans_encode(RTM_SETLINK, PORT, &vlans, 1, buffer), 0);
	assert_bytes("2c000000130005000100000000000000070000000400000000000000000000000c001a000800020006000a00");
	memset(&vlans, 0, sizeof(vlans));
	bridge_vlans_add(&vlans, 1, false); /* bridge vlan del dev v0 vid 1 */
	assert_int_equal(bridge_vlans_encode(RTM_DELLINK, PORT, &vlans, 1, buffer), 0);
	assert_bytes("2c000000110005000100000000000000070000000400000000000000000000000c001a000800020000000100");
	memset(&vlans, 0, sizeof(vlans));
	for (uint16_t vlan = 2; vlan <= 4094; vlan++) /* bridge vlan add dev v0 vid 2-4094 */
		bridge_vlans_add(&vlans, vlan, false);
	assert_int_equal(bridge_vlans_encode(RTM_SETLINK, PORT, &vlans, 1, buffer), 0);
	assert_bytes("3400000013000500010000000000000007000000040000000000000000000000"
		     "14001a000800020008000200080002001000fe0f");
}

/* What is told is what is read, in as many messages as it takes */
static void there_and_back(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 500; round++) {
		struct bridge_vlans vlans = { .pvid = 0 }, got = { .pvid = 0 };
		const int density = 1 + rand() % 64;
		uint16_t from = 1;
		int messages = 0;

		for (uint16_t vlan = 1; vlan <= BRIDGE_VLAN_MAX; vlan++)
			if (round == 0 ? vlan % 2 : rand() % density == 0)
				bridge_vlans_add(&vlans, vlan, rand() % 4 == 0);
		if (bridge_vlans_has(&vlans, 100))
			vlans.pvid = 100;
		while (from) {
			struct nlmsghdr *header = (struct nlmsghdr *)buffer;
			struct bridge_vlans part;

			from = bridge_vlans_encode(RTM_SETLINK, PORT, &vlans, from, buffer);
			assert_true(header->nlmsg_len <= sizeof(buffer));
			header->nlmsg_type = RTM_NEWLINK;
			assert_int_equal(bridge_vlans_decode(header, &part), PORT);
			for (uint32_t i = 0; i < BRIDGE_VLANS_WORDS; i++) {
				got.member[i] |= part.member[i];
				got.untagged[i] |= part.untagged[i];
			}
			if (part.pvid)
				got.pvid = part.pvid;
			assert_true(++messages < 64);
		}
		assert_true(bridge_vlans_equal(&vlans, &got));
	}
}

static void every_length(void **state)
{
	struct bridge_vlans vlans = { .pvid = 1 };
	uint32_t whole;

	(void)state;
	bridge_vlans_add(&vlans, 1, true);
	for (uint16_t vlan = 100; vlan < 200; vlan++)
		bridge_vlans_add(&vlans, vlan, false);
	(void)bridge_vlans_encode(RTM_NEWLINK, PORT, &vlans, 1, buffer);
	whole = ((struct nlmsghdr *)buffer)->nlmsg_len;
	for (uint32_t bytes = sizeof(struct nlmsghdr); bytes <= whole; bytes++) {
		struct nlmsghdr *copy = malloc(bytes);
		struct bridge_vlans got;

		memcpy(copy, buffer, bytes);
		copy->nlmsg_len = bytes;
		(void)bridge_vlans_decode(copy, &got);
		assert_true(bytes < whole || bridge_vlans_equal(&got, &vlans));
		free(copy);
	}
}

static void other_messages_are_none(void **state)
{
	struct bridge_vlans vlans = { .pvid = 0 }, got;
	struct nlmsghdr *header = (struct nlmsghdr *)buffer;

	(void)state;
	bridge_vlans_add(&vlans, 7, false);
	(void)bridge_vlans_encode(RTM_NEWLINK, PORT, &vlans, 1, buffer);
	((struct ifinfomsg *)(header + 1))->ifi_family = AF_UNSPEC;
	assert_int_equal(bridge_vlans_decode(header, &got), 0);
	assert_false(bridge_vlans_has(&got, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_bridge_vlan_add_and_del),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(every_length),
		cmocka_unit_test(other_messages_are_none),
	};

	return cmocka_run_group_tests_name("bridge_vlans", tests, NULL, NULL);
}

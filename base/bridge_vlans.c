/*
 * bridge_vlans.c - see bridge_vlans.h
 */
#include "base/bridge_vlans.h"

#include "base/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RUN_BYTES (2U * (MNL_ATTR_HDRLEN + sizeof(struct bridge_vlan_info))) /* a run's two ends */

static bool bit(const uint64_t *set, uint16_t vlan)
{
	return set[vlan / 64] >> vlan % 64 & 1;
}

static void set_bit(uint64_t *set, uint16_t vlan)
{
	set[vlan / 64] |= UINT64_C(1) << vlan % 64;
}

bool bridge_vlans_equal(const struct bridge_vlans *a, const struct bridge_vlans *b)
{
	return memcmp(a->member, b->member, sizeof(a->member)) == 0 &&
		memcmp(a->untagged, b->untagged, sizeof(a->untagged)) == 0 && a->pvid == b->pvid;
}

void bridge_vlans_add(struct bridge_vlans *vlans, uint16_t vlan, bool untagged)
{
	set_bit(vlans->member, vlan);
	if (untagged)
		set_bit(vlans->untagged, vlan);
}

bool bridge_vlans_has(const struct bridge_vlans *vlans, uint16_t vlan)
{
	return vlan <= BRIDGE_VLAN_MAX && bit(vlans->member, vlan);
}

/* ---- what the kernel says ------------------------------------------------------------------------------------ */

struct reading {
	struct bridge_vlans *out;
	uint16_t begin; /* of a run, 0 for none */
};

static int read_info(const struct nlattr *attr, void *context)
{
	struct reading *reading = context;
	struct bridge_vlan_info info;
	uint16_t first;

	if (mnl_attr_get_type(attr) != IFLA_BRIDGE_VLAN_INFO || mnl_attr_get_payload_len(attr) != sizeof(info))
		return MNL_CB_OK;
	memcpy(&info, mnl_attr_get_payload(attr), sizeof(info));
	if (info.vid == 0 || info.vid > BRIDGE_VLAN_MAX)
		return MNL_CB_OK;
	if (info.flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) {
		reading->begin = info.vid;
		return MNL_CB_OK;
	}
	first = info.flags & BRIDGE_VLAN_INFO_RANGE_END && reading->begin ? reading->begin : info.vid;
	reading->begin = 0;
	for (uint16_t vlan = first; vlan <= info.vid; vlan++)
		bridge_vlans_add(reading->out, vlan, info.flags & BRIDGE_VLAN_INFO_UNTAGGED);
	if (info.flags & BRIDGE_VLAN_INFO_PVID)
		reading->out->pvid = info.vid;
	return MNL_CB_OK;
}

static int read_families(const struct nlattr *attr, void *context)
{
	return mnl_attr_get_type(attr) == IFLA_AF_SPEC ? mnl_attr_parse_nested(attr, read_info, context) : MNL_CB_OK;
}

int bridge_vlans_decode(const struct nlmsghdr *header, struct bridge_vlans *out)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct reading reading = { .out = out };

	memset(out, 0, sizeof(*out));
	if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*info) ||
		header->nlmsg_len % MNL_ALIGNTO || info->ifi_family != AF_BRIDGE)
		return 0; /* attributes are padded, which libmnl takes for granted */
	(void)mnl_attr_parse(header, sizeof(*info), read_families, &reading);
	return info->ifi_index;
}

/* ---- what it is told ------------------------------------------------------------------------------------------ */

static uint16_t flags_of(const struct bridge_vlans *vlans, uint16_t vlan)
{
	return (uint16_t)((bit(vlans->untagged, vlan) ? BRIDGE_VLAN_INFO_UNTAGGED : 0) |
		(vlans->pvid == vlan ? BRIDGE_VLAN_INFO_PVID : 0));
}

static void put(struct nlmsghdr *header, uint16_t vlan, unsigned int flags)
{
	const struct bridge_vlan_info info = { .flags = (uint16_t)flags, .vid = vlan };

	mnl_attr_put(header, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
}

/* Return: the last VLAN of the run of equal ones that begins with @first; the PVID is one by itself */
static uint16_t run_end(const struct bridge_vlans *vlans, uint16_t first)
{
	uint16_t last = first;

	while (first != vlans->pvid && last < BRIDGE_VLAN_MAX && bit(vlans->member, last + 1) &&
		flags_of(vlans, last + 1) == flags_of(vlans, first))
		last++;
	return last;
}

uint16_t bridge_vlans_encode(uint16_t type, int index, const struct bridge_vlans *vlans, uint16_t from, void *buffer)
{
	struct nlmsghdr *header = netlink_begin(buffer, type, NLM_F_ACK);
	struct ifinfomsg *info;
	struct nlattr *nest;
	uint16_t vlan;

	info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	info->ifi_family = AF_BRIDGE;
	info->ifi_index = index;
	nest = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	nest->nla_type &= NLA_TYPE_MASK; /* as iproute2: kernels before 5.2 know no flag there */
	for (vlan = from ? from : 1; vlan <= BRIDGE_VLAN_MAX; vlan++) {
		uint16_t last;

		if (!bit(vlans->member, vlan))
			continue;
		if (header->nlmsg_len + RUN_BYTES > BRIDGE_VLANS_MESSAGE_BYTES)
			break;
		last = run_end(vlans, vlan);
		if (last == vlan) {
			put(header, vlan, flags_of(vlans, vlan));
			continue;
		}
		put(header, vlan, flags_of(vlans, vlan) | BRIDGE_VLAN_INFO_RANGE_BEGIN);
		put(header, last, flags_of(vlans, vlan) | BRIDGE_VLAN_INFO_RANGE_END);
		vlan = last;
	}
	mnl_attr_nest_end(header, nest);
	return vlan <= BRIDGE_VLAN_MAX ? vlan : 0;
}

/* ---- asking and telling --------------------------------------------------------------------------------------- */

static bool is_empty(const struct bridge_vlans *vlans)
{
	static const struct bridge_vlans none;

	return memcmp(vlans->member, none.member, sizeof(none.member)) == 0;
}

static int tell(uint16_t type, int index, const struct bridge_vlans *vlans)
{
	_Alignas(struct nlmsghdr) char buffer[BRIDGE_VLANS_MESSAGE_BYTES];
	uint16_t from = 1;
	int err = 0;

	if (is_empty(vlans))
		return 0;
	while (from && !err) {
		from = bridge_vlans_encode(type, index, vlans, from, buffer);
		err = netlink_change((struct nlmsghdr *)buffer);
	}
	return err;
}

int bridge_vlans_change(int index, const struct bridge_vlans *have, const struct bridge_vlans *wanted)
{
	struct bridge_vlans gone = { .pvid = 0 }, come = { .pvid = 0 };
	int err;

	for (uint16_t vlan = 1; vlan <= BRIDGE_VLAN_MAX; vlan++) {
		const bool had = bit(have->member, vlan), wants = bit(wanted->member, vlan);

		if (had && !wants)
			bridge_vlans_add(&gone, vlan, false);
		if (!wants || (had && flags_of(have, vlan) == flags_of(wanted, vlan)))
			continue;
		bridge_vlans_add(&come, vlan, bit(wanted->untagged, vlan));
		if (wanted->pvid == vlan)
			come.pvid = vlan;
	}
	err = tell(RTM_DELLINK, index, &gone);
	return err ? err : tell(RTM_SETLINK, index, &come);
}

static int add(const struct nlmsghdr *header, void *context)
{
	struct bridge_vlans_table *table = context;
	const uint32_t room = table->room ? 2 * table->room : 16;
	struct bridge_vlans vlans;
	const int index = bridge_vlans_decode(header, &vlans);
	struct bridge_vlans_entry *entries = table->entries;

	if (!index || is_empty(&vlans))
		return MNL_CB_OK;
	if (table->count == table->room) {
		entries = table->count < BRIDGE_VLANS_PORTS_MAX ? realloc(entries, room * sizeof(*entries)) : NULL;
		if (!entries) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		table->entries = entries;
		table->room = room;
	}
	entries[table->count++] = (struct bridge_vlans_entry){ index, vlans };
	return MNL_CB_OK;
}

static int compare(const void *left, const void *right)
{
	const struct bridge_vlans_entry *a = left, *b = right;

	return a->index < b->index ? -1 : a->index > b->index;
}

int bridge_vlans_get(struct bridge_vlans_table *out)
{
	_Alignas(struct nlmsghdr) char buffer[BRIDGE_VLANS_MESSAGE_BYTES];
	struct nlmsghdr *header = netlink_begin(buffer, RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg *info;
	int err;

	*out = (struct bridge_vlans_table){ 0 };
	info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	info->ifi_family = AF_BRIDGE;
	mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
	do {
		out->count = 0;
		err = netlink_ask(header, add, out);
	} while (err == -EINTR); /* ports came or went while the kernel listed them */
	if (err)
		bridge_vlans_fini(out);
	else if (out->count)
		qsort(out->entries, out->count, sizeof(*out->entries), compare);
	return err;
}

void bridge_vlans_fini(struct bridge_vlans_table *table)
{
	free(table->entries);
	*table = (struct bridge_vlans_table){ 0 };
}

const struct bridge_vlans *bridge_vlans_of(const struct bridge_vlans_table *table, int index)
{
	const struct bridge_vlans_entry key = { .index = index };
	const struct bridge_vlans_entry *found =
		table->count ? bsearch(&key, table->entries, table->count, sizeof(key), compare) : NULL;

	return found ? &found->vlans : NULL;
}

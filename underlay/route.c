/*
 * route.c - see route.h
 */
#include "underlay/route.h"

#include "base/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#define LINKS 16U
#define REQUEST_BYTES 256U
#define REPLY_BYTES 8192U

struct route {
	uint8_t ip[16];
	uint32_t scope_id;
	uint32_t epoch; /* of the cache when it was asked for; 0: empty */
	struct instant asked;
	uint32_t mtu_bytes; /* 0: no route */
	int device;         /* its index; 0: none */
	uint32_t device_bytes;
};

struct link {
	int index;
	uint32_t epoch;
	uint32_t mtu_bytes;
};

struct route_cache {
	struct mnl_socket *socket;
	struct hash_seed seed;
	uint32_t epoch; /* changes with each flush */
	uint32_t sequence;
	uint64_t questions;
	struct link links[LINKS];
	struct route routes[ROUTE_SETS][ROUTE_WAYS];
};

/* What the kernel answered */
struct answer {
	int link; /* 0: no route */
	uint32_t mtu_bytes;
};

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		socket = NULL;
	}
	return socket;
}

struct route_cache *route_cache_new(struct hash_seed seed, struct error *error)
{
	struct route_cache *cache = calloc(1, sizeof(*cache));

	if (!cache) {
		error_set(error, "out of memory");
		return NULL;
	}
	cache->seed = seed;
	cache->epoch = 1;
	cache->socket = open_socket();
	if (cache->socket)
		return cache;
	error_set(error, "the kernel gives no route socket: %s", strerror(errno));
	free(cache);
	return NULL;
}

void route_cache_free(struct route_cache *cache)
{
	if (!cache)
		return;
	if (cache->socket)
		mnl_socket_close(cache->socket);
	free(cache);
}

void route_cache_flush(struct route_cache *cache)
{
	if (++cache->epoch == 0)
		cache->epoch = 1;
}

uint64_t route_questions(const struct route_cache *cache)
{
	return cache->questions;
}

/* ---- asking the kernel ------------------------------------------------------------------------------------- */

static int read_metric(const struct nlattr *attr, void *context)
{
	struct answer *answer = context;

	if (mnl_attr_get_type(attr) == RTAX_MTU && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		answer->mtu_bytes = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_attribute(const struct nlattr *attr, void *context)
{
	struct answer *answer = context;

	if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		answer->link = (int)mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == RTA_METRICS)
		return mnl_attr_parse_nested(attr, read_metric, answer);
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *header, void *context)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_type != RTM_NEWROUTE || message->rtm_type == RTN_UNREACHABLE ||
		message->rtm_type == RTN_BLACKHOLE || message->rtm_type == RTN_PROHIBIT)
		return MNL_CB_OK;
	return mnl_attr_parse(header, sizeof(*message), read_attribute, context);
}

static struct nlmsghdr *write_question(struct route_cache *cache, const struct endpoint *to, char *bytes)
{
	const bool v4 = endpoint_is_v4(to);
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	struct rtmsg *message;

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = ++cache->sequence;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->rtm_family = v4 ? AF_INET : AF_INET6;
	message->rtm_dst_len = v4 ? 32 : 128;
	if (v4)
		mnl_attr_put(header, RTA_DST, 4, to->ip + 12);
	else
		mnl_attr_put(header, RTA_DST, 16, to->ip);
	if (to->scope_id)
		mnl_attr_put_u32(header, RTA_OIF, to->scope_id);
	return header;
}

/* The kernel answers one question with one message; older ones may wait behind a question that had failed */
static void read_answer(struct route_cache *cache, struct answer *answer)
{
	_Alignas(struct nlmsghdr) char reply[REPLY_BYTES];
	const unsigned int port = mnl_socket_get_portid(cache->socket);

	for (;;) {
		const ssize_t got = mnl_socket_recvfrom(cache->socket, reply, sizeof(reply));
		const struct nlmsghdr *header = (const struct nlmsghdr *)reply;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if (header->nlmsg_seq != cache->sequence)
			continue;
		(void)mnl_cb_run(reply, (size_t)got, cache->sequence, port, read_route, answer);
		return;
	}
	mnl_socket_close(cache->socket); /* answers were lost: begin anew with the next question */
	cache->socket = NULL;
}

static struct answer ask(struct route_cache *cache, const struct endpoint *to)
{
	_Alignas(struct nlmsghdr) char request[REQUEST_BYTES];
	const struct nlmsghdr *header = write_question(cache, to, request);
	struct answer answer = { 0 };

	cache->questions++;
	if (!cache->socket)
		cache->socket = open_socket();
	if (cache->socket && mnl_socket_sendto(cache->socket, header, header->nlmsg_len) >= 0)
		read_answer(cache, &answer);
	return answer;
}

static uint32_t link_mtu(struct route_cache *cache, int index)
{
	struct link *link = &cache->links[(uint32_t)index % LINKS];
	struct netlink_link found;

	if (link->index == index && link->epoch == cache->epoch)
		return link->mtu_bytes;
	if (netlink_link_get_by_index(index, &found) < 0)
		return 0;
	*link = (struct link){ .index = index, .epoch = cache->epoch, .mtu_bytes = found.mtu_bytes };
	return found.mtu_bytes;
}

/* ---- the table --------------------------------------------------------------------------------------------- */

static bool is_of(const struct route *route, const struct endpoint *to)
{
	return route->scope_id == to->scope_id && memcmp(route->ip, to->ip, sizeof(route->ip)) == 0;
}

/* Return: where @to is, or is to go: an outdated one's place, or that of the one asked about longest ago */
static struct route *place(struct route_cache *cache, const struct endpoint *to)
{
	struct route *set, *oldest;
	uint64_t halves[2];

	memcpy(halves, to->ip, sizeof(halves));
	set = cache->routes[hash_pair(cache->seed, halves[0], halves[1] ^ to->scope_id) % ROUTE_SETS];
	oldest = &set[0];
	for (uint32_t way = 0; way < ROUTE_WAYS; way++) {
		if (set[way].epoch == cache->epoch && is_of(&set[way], to))
			return &set[way];
		if (oldest->epoch == cache->epoch &&
			(set[way].epoch != cache->epoch || set[way].asked.ns < oldest->asked.ns))
			oldest = &set[way];
	}
	return oldest;
}

static void fill(struct route_cache *cache, struct route *route, const struct endpoint *to, struct instant now)
{
	const struct answer answer = ask(cache, to);

	*route = (struct route){
		.scope_id = to->scope_id,
		.epoch = cache->epoch,
		.asked = now,
		.mtu_bytes = answer.mtu_bytes,
	};
	memcpy(route->ip, to->ip, sizeof(route->ip));
	route->device = answer.link;
	if (answer.link > 0)
		route->device_bytes = link_mtu(cache, answer.link);
	if (!route->mtu_bytes || (route->device_bytes && route->device_bytes < route->mtu_bytes))
		route->mtu_bytes = route->device_bytes;
}

static const struct route *lookup(struct route_cache *cache, const struct endpoint *to, struct instant now,
	bool freshly)
{
	struct route *route = place(cache, to);

	if (route->epoch != cache->epoch || !is_of(route, to) ||
		(freshly && instant_since_ms(now, route->asked) >= ROUTE_FRESH_MS))
		fill(cache, route, to, now);
	return route;
}

uint32_t route_mtu(struct route_cache *cache, const struct endpoint *to, struct instant now)
{
	return lookup(cache, to, now, true)->mtu_bytes;
}

uint32_t route_device_mtu(struct route_cache *cache, const struct endpoint *to, struct instant now)
{
	return lookup(cache, to, now, false)->device_bytes;
}

int route_device(struct route_cache *cache, const struct endpoint *to, struct instant now)
{
	return lookup(cache, to, now, false)->device;
}

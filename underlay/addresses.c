/*
 * addresses.c - see addresses.h
 */
#include "underlay/addresses.h"

#include "base/addr.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Others are to have their turn while notices pour in; the descriptor stays readable */
#define NOTICES_A_TURN 256U

struct addresses {
	int watch;    /* a route socket with all that is told */
	int question; /* any socket, to ask links for their MTU by */
	struct hash_seed seed;
	uint64_t sum;             /* at the last look */
	struct own_address *own;  /* then as well, sorted */
	uint8_t (*ips)[IP_BYTES]; /* theirs alone, as many */
	size_t own_count, own_room;
};

static int open_watch(void)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
			RTMGRP_IPV6_ROUTE | (1U << (RTNLGRP_IPV4_RULE - 1)) | (1U << (RTNLGRP_IPV6_RULE - 1)),
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint64_t interface_mtu(const struct addresses *addresses, const char *name)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(addresses->question, SIOCGIFMTU, &request) == 0 ? (uint64_t)request.ifr_mtu : 0;
}

/* Return: false for what is down, or is no IP address */
static bool read_address(const struct ifaddrs *at, struct endpoint *out)
{
	socklen_t bytes = sizeof(struct sockaddr_in6);

	if (!at->ifa_addr || !(at->ifa_flags & IFF_UP))
		return false;
	if (at->ifa_addr->sa_family == AF_INET)
		bytes = sizeof(struct sockaddr_in);
	return endpoint_from_sockaddr(at->ifa_addr, bytes, out);
}

/* What one address adds to the sum */
static uint64_t summand(const struct addresses *addresses, const struct ifaddrs *at, const struct endpoint *endpoint)
{
	uint64_t halves[2];

	memcpy(halves, endpoint->ip, sizeof(halves));
	return hash_pair(addresses->seed, hash_pair(addresses->seed, halves[0], halves[1]),
		interface_mtu(addresses, at->ifa_name));
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, IP_BYTES);
}

/* One more, as far as there is memory: of one that is left out others think that it is gone, and let the kernel choose */
static void keep(struct addresses *addresses, const struct endpoint *endpoint, const char *link)
{
	const size_t room = addresses->own_room ? 2 * addresses->own_room : 16;
	struct own_address *own;
	void *grown;

	if (addresses->own_count == addresses->own_room) {
		grown = realloc(addresses->ips, room * sizeof(*addresses->ips));
		if (!grown)
			return;
		addresses->ips = grown;
		grown = realloc(addresses->own, room * sizeof(*addresses->own));
		if (!grown)
			return;
		addresses->own = grown;
		addresses->own_room = room;
	}
	own = &addresses->own[addresses->own_count++];
	memcpy(own->ip, endpoint->ip, IP_BYTES);
	snprintf(own->link, sizeof(own->link), "%s", link);
}

/* Where the kernel does not say, there are none */
static void look(struct addresses *addresses)
{
	struct endpoint endpoint;
	struct ifaddrs *list;

	addresses->sum = 0;
	addresses->own_count = 0;
	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
		if (!read_address(at, &endpoint))
			continue;
		addresses->sum += summand(addresses, at, &endpoint);
		keep(addresses, &endpoint, at->ifa_name);
	}
	freeifaddrs(list);
	if (addresses->own_count)
		qsort(addresses->own, addresses->own_count, sizeof(*addresses->own), compare);
	for (size_t i = 0; i < addresses->own_count; i++)
		memcpy(addresses->ips[i], addresses->own[i].ip, IP_BYTES);
}

struct addresses *addresses_new(struct hash_seed seed, struct error *error)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));

	if (!addresses) {
		error_set(error, "out of memory");
		return NULL;
	}
	addresses->seed = seed;
	addresses->watch = open_watch();
	addresses->question = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (addresses->watch < 0 || addresses->question < 0) {
		error_set(error, "the kernel does not tell of links and addresses: %s: netlink is needed",
			strerror(errno));
		addresses_free(addresses);
		return NULL;
	}
	look(addresses);
	return addresses;
}

void addresses_free(struct addresses *addresses)
{
	if (!addresses)
		return;
	if (addresses->watch >= 0)
		close(addresses->watch);
	if (addresses->question >= 0)
		close(addresses->question);
	free(addresses->own);
	free(addresses->ips);
	free(addresses);
}

int addresses_descriptor(const struct addresses *addresses)
{
	return addresses->watch;
}

static enum addresses_news news_of(const struct nlmsghdr *header, size_t bytes)
{
	if (bytes < sizeof(*header))
		return ADDRESSES_QUIET;
	switch (header->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return ADDRESSES_ROUTES;
	default:
		return ADDRESSES_LINKS;
	}
}

enum addresses_news addresses_read(struct addresses *addresses)
{
	enum addresses_news news = ADDRESSES_QUIET;
	_Alignas(struct nlmsghdr) char notice[512]; /* the type is enough, the rest of it is cut */

	for (uint32_t taken = 0; taken < NOTICES_A_TURN; taken++) {
		const ssize_t got = recv(addresses->watch, notice, sizeof(notice), MSG_DONTWAIT);
		enum addresses_news this = ADDRESSES_LINKS; /* ENOBUFS: notices were lost, and there may be more */

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno != ENOBUFS)
			return news;
		if (got >= 0)
			this = news_of((const struct nlmsghdr *)notice, (size_t)got);
		if (this > news)
			news = this;
	}
	return news;
}

bool addresses_moved(struct addresses *addresses)
{
	const uint64_t before = addresses->sum;

	look(addresses);
	return addresses->sum != before;
}

bool addresses_has(const struct addresses *addresses, const uint8_t ip[IP_BYTES])
{
	return addresses->own_count &&
		bsearch(ip, addresses->own, addresses->own_count, sizeof(*addresses->own), compare);
}

size_t addresses_own(const struct addresses *addresses, const uint8_t (**out)[IP_BYTES])
{
	*out = (const uint8_t(*)[IP_BYTES])addresses->ips;
	return addresses->own_count;
}

const struct own_address *addresses_list(const struct addresses *addresses, size_t *count)
{
	*count = addresses->own_count;
	return addresses->own;
}

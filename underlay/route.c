/*
 * route.c - see route.h
 */
#include "underlay/route.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connecting a UDP socket sends nothing; it only asks the routing table.  Return: a descriptor or -1 */
static int routed_socket(const struct endpoint *to)
{
	int family = endpoint_is_v4(to) ? AF_INET : AF_INET6;
	struct sockaddr_storage sa;
	socklen_t sa_bytes = endpoint_to_sockaddr(to, family, &sa);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&sa, sa_bytes) == 0)
		return fd;
	close(fd);
	return -1;
}

uint32_t route_mtu(const struct endpoint *to)
{
	bool v4 = endpoint_is_v4(to);
	int fd = routed_socket(to), mtu = 0;
	socklen_t len = sizeof(mtu);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &len) < 0)
		mtu = 0;
	close(fd);
	return mtu > 0 ? (uint32_t)mtu : 0;
}

/* Return: whether an interface has the address that @fd sends from; its name is in @request then */
static bool find_interface(int fd, struct ifreq *request)
{
	struct sockaddr_storage sa;
	socklen_t sa_bytes = sizeof(sa);
	struct endpoint own, other;
	struct ifaddrs *list, *at;

	if (getsockname(fd, (struct sockaddr *)&sa, &sa_bytes) < 0 ||
		!endpoint_from_sockaddr((const struct sockaddr *)&sa, sa_bytes, &own) || getifaddrs(&list) < 0)
		return false;
	for (at = list; at; at = at->ifa_next) {
		const socklen_t bytes = at->ifa_addr && at->ifa_addr->sa_family == AF_INET6
			? sizeof(struct sockaddr_in6)
			: sizeof(struct sockaddr_in);

		if (at->ifa_addr && endpoint_from_sockaddr(at->ifa_addr, bytes, &other) &&
			memcmp(own.ip, other.ip, sizeof(own.ip)) == 0)
			break;
	}
	if (at)
		snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", at->ifa_name);
	freeifaddrs(list);
	return at != NULL;
}

uint32_t route_device_mtu(const struct endpoint *to)
{
	struct ifreq request = { 0 };
	int fd = routed_socket(to);
	uint32_t mtu = 0;

	if (fd < 0)
		return 0;
	if (find_interface(fd, &request) && ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
		mtu = (uint32_t)request.ifr_mtu;
	close(fd);
	return mtu;
}

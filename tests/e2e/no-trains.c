/*
 * no-trains.c - a kernel that takes no trains of datagrams, for fallback.sh: preloaded into weftd (LD_PRELOAD)
 *
 * Kernels before 6.11 refuse UDP_SEGMENT with EIO on a device without checksum offload, and kernels before 4.18 know
 * neither UDP_SEGMENT nor UDP_GRO.  NO_TRAINS=device in the environment makes the one, NO_TRAINS=kernel the other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool is(const char *what)
{
	const char *mode = getenv("NO_TRAINS");

	return mode && strcmp(mode, what) == 0;
}

static bool is_train(struct msghdr *message)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg))
		if (cmsg->cmsg_level == IPPROTO_UDP)
			return true;
	return false;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	int (*real)(int, struct mmsghdr *, unsigned int, int) =
		(int (*)(int, struct mmsghdr *, unsigned int, int))dlsym(RTLD_NEXT, "sendmmsg");
	unsigned int single = 0;

	while (single < count && !is_train(&messages[single].msg_hdr))
		single++;
	if (single == count || !is("device"))
		return real(fd, messages, count, flags);
	if (single > 0)
		return real(fd, messages, single, flags);
	errno = EIO;
	return -1;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int (*real)(int, int, int, const void *, socklen_t) =
		(int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");

	if (level != IPPROTO_UDP || !is("kernel"))
		return real(fd, level, name, value, len);
	errno = ENOPROTOOPT;
	return -1;
}

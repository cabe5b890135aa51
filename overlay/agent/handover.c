/*
 * handover.c - see handover.h
 */
#include "overlay/agent/handover.h"

#include "base/log.h"
#include "base/supervisor.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "weft-ports"
#define VERSION 1
#define BAG_BYTES (16 << 20) /* the kernel counts some kilobytes for a message */
#define PATIENCE_MS 1000

/* ---- one message ------------------------------------------------------------------------------------------- */

/* Return: false where it does not fit */
static bool dump(json_t *message, char out[HANDOVER_MESSAGE_BYTES])
{
	const size_t len = json_dumpb(message, out, HANDOVER_MESSAGE_BYTES - 1, JSON_COMPACT);

	json_decref(message);
	if (len == 0 || len >= HANDOVER_MESSAGE_BYTES)
		return false;
	out[len] = '\0';
	return true;
}

int handover_port_encode(const struct tap_kept *kept, char out[HANDOVER_MESSAGE_BYTES])
{
	char attach[ATTACH_TEXT_BYTES];

	attach_format(&kept->spec, attach);
	return dump(json_pack("{s:s, s:s, s:s}", "attach", attach, "device", kept->spec.device, "alias",
			    kept->spec.alias),
		       out)
		? 0
		: -EINVAL;
}

int handover_port_decode(const char *text, size_t len_bytes, struct tap_kept *out)
{
	json_t *message = json_loadb(text, len_bytes, JSON_REJECT_DUPLICATES, NULL);
	const char *attach = "", *device = "", *alias = "";
	struct error error;
	int err = -EINVAL;

	*out = (struct tap_kept){ .queues = 0 };
	if (json_unpack(message, "{s:s, s:s, s:s}", "attach", &attach, "device", &device, "alias", &alias) == 0 &&
		strlen(alias) < ATTACH_ALIAS_BYTES && (!device[0] || attach_name_ok(device)))
		err = attach_parse(attach, &out->spec, &error);
	if (!err) {
		memcpy(out->spec.device, device, strlen(device) + 1);
		memcpy(out->spec.alias, alias, strlen(alias) + 1);
	}
	json_decref(message);
	return err;
}

/* ---- the bag ----------------------------------------------------------------------------------------------- */

static bool put(int bag, const char *text, const int fds[], unsigned int count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(TAP_QUEUES_MAX * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg = (struct cmsghdr *)control;

	if (count) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		*cmsg = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	}
	return sendmsg(bag, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static bool put_port(int bag, const struct tap_kept *kept)
{
	char text[HANDOVER_MESSAGE_BYTES];

	return handover_port_encode(kept, text) == 0 && put(bag, text, kept->fds, kept->queues);
}

int handover_pack(const struct tap_kept kept[], uint32_t count, struct instant now, int *witness)
{
	const int bytes = BAG_BYTES;
	char text[HANDOVER_MESSAGE_BYTES];
	int ends[2];
	bool good;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)!setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	good = dump(json_pack("{s:i, s:I}", "version", VERSION, "stopped_ns", (json_int_t)now.ns), text) &&
		put(ends[0], text, NULL, 0);
	for (uint32_t i = 0; good && i < count; i++)
		good = put_port(ends[0], &kept[i]);
	*witness = ends[0];
	if (good)
		return ends[1];
	close(ends[0]);
	close(ends[1]);
	return -1;
}

static void close_all(const struct tap_kept *kept)
{
	for (unsigned int q = 0; q < kept->queues; q++)
		close(kept->fds[q]);
}

/* The descriptors that came, into @out.  Return: whether all did */
static bool read_descriptors(struct msghdr *message, struct tap_kept *out)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);

	out->queues = 0;
	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
		return false;
	out->queues = (unsigned int)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(out->fds, CMSG_DATA(cmsg), out->queues * sizeof(int));
	return !(message->msg_flags & (MSG_CTRUNC | MSG_TRUNC));
}

/* Return: the length of its text; negative at the end of the bag.  What came along goes to @fds, @whole: all of it */
static ssize_t take(int bag, int flags, char text[HANDOVER_MESSAGE_BYTES], struct tap_kept *fds, bool *whole)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(TAP_QUEUES_MAX * sizeof(int))];
	struct iovec iov = { .iov_base = text, .iov_len = HANDOVER_MESSAGE_BYTES };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	const ssize_t got = recvmsg(bag, &message, flags | MSG_CMSG_CLOEXEC);

	*whole = got > 0 && read_descriptors(&message, fds);
	return got > 0 ? got : -1;
}

/* Return: when those stopped who packed the bag; 0: it is of another kind */
static struct instant read_first(const char *text, size_t len_bytes)
{
	json_t *message = json_loadb(text, len_bytes, JSON_REJECT_DUPLICATES, NULL);
	json_int_t stopped_ns = 0;
	int version = 0;

	if (json_unpack(message, "{s:i, s:I}", "version", &version, "stopped_ns", &stopped_ns) < 0 ||
		version != VERSION || stopped_ns < 0)
		stopped_ns = 0;
	json_decref(message);
	return (struct instant){ (uint64_t)stopped_ns };
}

void handover_unpack(int bag, struct instant now, struct handover *out)
{
	char text[HANDOVER_MESSAGE_BYTES];
	struct instant stopped = { 0 };
	struct tap_kept fds = { .queues = 0 };
	ssize_t len;
	bool whole;

	out->count = 0;
	len = take(bag, MSG_DONTWAIT, text, &fds, &whole);
	if (len > 0)
		stopped = read_first(text, (size_t)len);
	for (; (len = take(bag, MSG_DONTWAIT, text, &fds, &whole)) > 0;) {
		struct tap_kept *kept = &out->kept[out->count];

		if (!whole || !stopped.ns || out->count == HANDOVER_PORTS_MAX ||
			handover_port_decode(text, (size_t)len, kept) < 0) {
			close_all(&fds);
			continue;
		}
		kept->queues = fds.queues;
		memcpy(kept->fds, fds.fds, sizeof(kept->fds));
		kept->stale = instant_since_ms(now, stopped) > HANDOVER_STALE_MS;
		out->count++;
	}
}

bool handover_send(int to, int bag)
{
	return put(to, "bag", &bag, 1);
}

bool handover_receive(int from, int *bag)
{
	char text[HANDOVER_MESSAGE_BYTES];
	struct tap_kept fds = { .queues = 0 };
	bool whole;

	if (take(from, 0, text, &fds, &whole) > 0 && whole && fds.queues == 1) {
		*bag = fds.fds[0];
		return true;
	}
	close_all(&fds);
	return false;
}

/* ---- with the service manager ------------------------------------------------------------------------------ */

/* A service manager closes at once what it has no room for.  Our own end is closed by then */
static bool somebody_has_the_other_end(int witness)
{
	struct pollfd hung_up = { .fd = witness };

	return poll(&hung_up, 1, 0) == 0;
}

bool handover_give(int bag, int witness)
{
	const bool heard = supervisor_is_there() && supervisor_keep(NAME, bag, PATIENCE_MS);

	close(bag);
	return heard && somebody_has_the_other_end(witness);
}

int handover_take(void)
{
	int bag = supervisor_kept(NAME);

	if (bag >= 0)
		supervisor_forget(NAME);
	return bag;
}

void handover_pass(int bag)
{
	if (!supervisor_pass(NAME, bag) && bag >= 0)
		log_error("the open ports could not be passed on: %s", strerror(errno));
}

const struct tap_kept *handover_find(const struct handover *handover, const struct attach *spec)
{
	for (uint32_t i = 0; handover && i < handover->count; i++)
		if (tap_kept_is_for(&handover->kept[i], spec))
			return &handover->kept[i];
	return NULL;
}

void handover_remove(struct handover *handover, const struct tap_kept *kept)
{
	handover->kept[kept - handover->kept] = handover->kept[handover->count - 1];
	handover->count--;
}

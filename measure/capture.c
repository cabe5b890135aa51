/*
 * capture.c - see capture.h
 */
#include "measure/capture.h"

#include "base/error.h"
#include "measure/dissect.h"

#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPTURE_WAIT_MS 100 /* how long the kernel may hold packets back to hand on many at once */

struct capture {
	pcap_t *pcap;
	bool live;
	struct pcap_stat last; /* 32 bits each, which wrap */
	struct capture_stats stats;
};

struct delivery {
	capture_packet_fn *packet;
	void *context;
	pcap_t *pcap;
};

static void list_interfaces(char *out, size_t cap_bytes)
{
	struct if_nameindex *all = if_nameindex();
	size_t used = 0;

	out[0] = '\0';
	for (struct if_nameindex *i = all; i && i->if_name && used < cap_bytes; i++)
		used += (size_t)snprintf(out + used, cap_bytes - used, "%s%s", used ? ", " : "", i->if_name);
	if (all)
		if_freenameindex(all);
}

static void explain_activation(int code, const char *interface, const char *detail, struct error *error)
{
	char others[256];

	switch (code) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		list_interfaces(others, sizeof(others));
		error_set(error, "no interface is called %.64s here; there are: %s", interface, others);
		break;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		error_set(error, "not permitted to capture on %.64s: run as root, or with CAP_NET_RAW", interface);
		break;
	case PCAP_ERROR_IFACE_NOT_UP:
		error_set(error, "%.64s is down: ip link set %.64s up", interface, interface);
		break;
	default:
		error_set(error, "cannot capture on %.64s: %s%s%s", interface, pcap_statustostr(code),
			detail[0] ? ": " : "", detail);
	}
}

static bool link_is_known(struct capture *capture, const char *where, struct error *error)
{
	int link_type = pcap_datalink(capture->pcap);
	const char *name = pcap_datalink_val_to_name(link_type);

	if (dissect_knows(link_type))
		return true;
	error_set(error,
		"%.200s: packets of link type %s (%d) cannot be read; Ethernet, "
		"Linux cooked and raw IP can",
		where, name ? name : "unknown", link_type);
	return false;
}

static bool set_filter(struct capture *capture, uint16_t port, struct error *error)
{
	struct bpf_program program;
	char text[160];
	bool done;

	if (pcap_datalink(capture->pcap) == DLT_EN10MB)
		snprintf(text, sizeof(text), "udp port %u or (vlan and (udp port %u or (vlan and udp port %u)))", port,
			port, port);
	else
		snprintf(text, sizeof(text), "udp port %u", port);
	if (pcap_compile(capture->pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		error_set(error, "filter '%s': %s", text, pcap_geterr(capture->pcap));
		return false;
	}
	done = pcap_setfilter(capture->pcap, &program) == 0;
	if (!done)
		error_set(error, "filter '%s': %s", text, pcap_geterr(capture->pcap));
	pcap_freecode(&program);
	return done;
}

static bool activate(struct capture *capture, const char *interface, const struct capture_settings *settings,
	struct error *error)
{
	pcap_t *pcap = capture->pcap;
	char detail[PCAP_ERRBUF_SIZE] = "";
	int code;

	pcap_set_snaplen(pcap, (int)settings->snaplen_bytes);
	pcap_set_promisc(pcap, settings->promiscuous);
	pcap_set_timeout(pcap, CAPTURE_WAIT_MS);
	pcap_set_buffer_size(pcap, (int)(settings->buffer_mib << 20));
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	code = pcap_activate(pcap);
	if (code < 0) {
		explain_activation(code, interface, pcap_geterr(pcap), error);
		return false;
	}
	if (!link_is_known(capture, interface, error) || !set_filter(capture, settings->port, error))
		return false;
	if (pcap_setnonblock(pcap, 1, detail) != 0) {
		error_set(error, "%.64s: %.300s", interface, detail);
		return false;
	}
	return true;
}

struct capture *capture_open_live(const char *interface, const struct capture_settings *settings, struct error *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	char detail[PCAP_ERRBUF_SIZE] = "";

	if (!capture) {
		error_set(error, "out of memory");
		return NULL;
	}
	capture->live = true;
	capture->pcap = pcap_create(interface, detail);
	if (!capture->pcap)
		error_set(error, "cannot capture on %.64s: %.300s", interface, detail);
	else if (activate(capture, interface, settings, error))
		return capture;
	capture_close(capture);
	return NULL;
}

struct capture *capture_open_file(const char *path, struct error *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	char detail[PCAP_ERRBUF_SIZE] = "";

	if (!capture) {
		error_set(error, "out of memory");
		return NULL;
	}
	capture->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, detail);
	if (!capture->pcap)
		error_set(error, "cannot read %.200s as a pcap or pcapng file: %.250s", path, detail);
	else if (link_is_known(capture, path, error))
		return capture;
	capture_close(capture);
	return NULL;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture);
}

int capture_link_type(const struct capture *capture)
{
	return pcap_datalink(capture->pcap);
}

int capture_fd(const struct capture *capture)
{
	return pcap_get_selectable_fd(capture->pcap);
}

static void deliver(u_char *user, const struct pcap_pkthdr *header, const u_char *packet)
{
	const struct delivery *delivery = (const void *)user;
	struct instant at = { (uint64_t)header->ts.tv_sec * 1000000000ULL + (uint64_t)header->ts.tv_usec };

	if (!delivery->packet(delivery->context, packet, header->caplen, at))
		pcap_breakloop(delivery->pcap);
}

int capture_read(struct capture *capture, int max, capture_packet_fn *packet, void *context, struct error *error)
{
	struct delivery delivery = { .packet = packet, .context = context, .pcap = capture->pcap };
	int count = pcap_dispatch(capture->pcap, max, deliver, (u_char *)&delivery);

	if (count == PCAP_ERROR_BREAK)
		return 0;
	if (count < 0) {
		error_set(error, "%.400s", pcap_geterr(capture->pcap));
		return -1;
	}
	return count;
}

struct capture_stats capture_stats_now(struct capture *capture)
{
	struct pcap_stat now;

	if (capture->live && pcap_stats(capture->pcap, &now) == 0) {
		capture->stats.known = true;
		capture->stats.received += (uint32_t)(now.ps_recv - capture->last.ps_recv);
		capture->stats.dropped += (uint32_t)(now.ps_drop - capture->last.ps_drop);
		capture->stats.interface_dropped += (uint32_t)(now.ps_ifdrop - capture->last.ps_ifdrop);
		capture->last = now;
	}
	return capture->stats;
}

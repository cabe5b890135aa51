/*
 * checks.h - what is wrong with a host, judged by facts: pure functions, one table row a check
 *
 * Facts are one JSON object; a member that is absent is not known, and its check says so or says nothing:
 *
 *	"local"		where the host is this one: {"root", "joined", "running", "unit"}, and "machine" (base/checkup.h) without a weftd
 *	"agent"		its weftd's answer to the question "doctor" (overlay/agent/doctor.h)
 *	"controller"	where one was asked: {"time", "host": its item of /v1/hosts}
 *	"pings"		{peer: whether a probe was answered just now}
 *	"witness"	{peer: the row of its weftd about this host, or {"unknown": why}}; asked after the pings
 *	"looked_at"	how many peers that is, of all
 *
 * A finding says what is so, and where it is wrong by which command it is mended.
 */
#ifndef CLI_CHECKS_H
#define CLI_CHECKS_H

#include <jansson.h>

/* name, as the finding has it; what judges it */
#define CHECKS(X)                         \
	X("weftd", check_weftd)           \
	X("clock", check_clock)           \
	X("name", check_name)             \
	X("controller", check_controller) \
	X("topology", check_topology)     \
	X("udp", check_udp)               \
	X("nat", check_nat)               \
	X("path mtu", check_mtu)          \
	X("offloads", check_offloads)     \
	X("ports", check_ports)           \
	X("filters", check_filters)       \
	X("kernel", check_kernel)         \
	X("files", check_files)

#define CHECKS_CLOCK_S 5        /* off by more is said, */
#define CHECKS_CLOCK_WRONG_S 60 /* and by more is an error: certificates are valid in their time */
#define CHECKS_HEARD_MS 3000    /* a peer that heard this host so lately hears it */
#define CHECKS_MTU_LEAST 1280
#define CHECKS_AROUND_BYTES 80 /* of headers around a frame of a network's MTU, at least, in the underlay */

/* Return: [{"check", "result": "ok", "warning" or "error", "text", "command"?}], new */
json_t *checks_judge(const json_t *facts);

#endif /* CLI_CHECKS_H */

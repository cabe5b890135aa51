/*
 * checkup.h - what can be told about this machine when somebody wonders why weft does not work on it, as JSON
 *
 * Reads, and changes nothing.  For weftd, which answers with it from afar, and for `weft doctor` where no weftd runs; what the facts
 * mean is judged there (cli/checks.h).
 */
#ifndef BASE_CHECKUP_H
#define BASE_CHECKUP_H

#include <jansson.h>

#define CHECKUP_FILTERS_MAX 64U
#define CHECKUP_ADDRESSES_MAX 64U

/*
 * Quick, and of the calling process and its network namespace: {"time": Unix seconds, "kernel", "addresses": [IP, ...],
 * "tun": whether /dev/net/tun can be opened, "nofile": its limit of descriptors, "descriptors": those it has, "may_filter": whether
 * the filters could be read, "filters": [{"family", "table", "chain", "hook": "input" or "forward", "policy", "uses"}, ...],
 * "sysctl": {name: number}}.  Members that cannot be told are absent.  Return: new
 */
json_t *checkup_machine(void);

/* Ask for a name as programs do, which may take as long as it likes: {"name", "addresses": [...]} or {"name", "error"}.  Return: new */
json_t *checkup_resolve(const char *name);

#endif /* BASE_CHECKUP_H */

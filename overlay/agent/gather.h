/*
 * gather.h - what an agent has to say of itself, as JSON: for the controller (report.c) and for `weft status` (status.c)
 */
#ifndef OVERLAY_AGENT_GATHER_H
#define OVERLAY_AGENT_GATHER_H

#include "overlay/agent/core.h"

#include <jansson.h>
#include <stdint.h>

#define GATHER_MACS_MAX 8192U
#define GATHER_ERRORS_MAX 64U
#define GATHER_TEXT_BYTES 2049U

/* The name and number of the document in force; "" and 0 where there is none */
const char *gather_applied(const struct core *core);
uint64_t gather_applied_rev(const struct core *core);

/* {name: count} of all drops that there were */
json_t *gather_drops(const struct core *core, const struct stats *stats);

/* The MAC table's entries, each as @form says; NULL leaves it out */
json_t *gather_macs(const struct core *core, json_t *(*form)(const struct core *core, const struct fdb_entry *entry));

/*
 * What of the document could not be done, one each: {"lab", "port", "text"}, {"lab", "network", "text"}, {"host", "text"} or {"text"}.
 * The last one says how many more there are.  Empty where all is done.
 */
json_t *gather_errors(const struct core *core);

/* The same as one line for people; "" where all is done */
void gather_error_text(const json_t *errors, char out[GATHER_TEXT_BYTES]);

#endif /* OVERLAY_AGENT_GATHER_H */

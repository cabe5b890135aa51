/*
 * apply.h - what a document wants, made what there is: each thing by its difference
 */
#ifndef OVERLAY_AGENT_APPLY_H
#define OVERLAY_AGENT_APPLY_H

#include "overlay/agent/core.h"

/**
 * apply_document() - take a document
 * @is_new:	not from the disk: it goes there first, so that an agent that is killed in between starts with it
 *
 * One that is wrong changes nothing but core->rejected.  One that says what the one before said changes its number only.
 */
void apply_document(struct core *core, const json_t *document, bool is_new);

/* What the document's newcomers found no room for while others had not left, once these have */
void apply_rest(struct core *core);

/* Look at the certificates of the document's hosts again, and do what follows */
void apply_judge(struct core *core);

/* Try again to keep the document, which could not be */
void apply_keep(struct core *core);

/* Everything leaves */
void apply_fini(struct core *core);

#endif /* OVERLAY_AGENT_APPLY_H */

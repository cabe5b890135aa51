/*
 * contact.h - one peer's contact: whether it is reached, what is to be done about it, and when
 *
 * Theory of operation.  Whatever happens to a peer is told here, one function for each event, and contact_poll() says what to do next
 * and when to ask again.  Nobody else writes a field.  With no session, and while the contact is wanted (it always is, but for a peer
 * that is refused or gone):
 *
 *	attempts	at CONTACT_RETRY_MS << n, up to CONTACT_RETRY_MAX_MS, and CONTACT_RETRY_SLOW_MS once a minute of them was in vain;
 *			each a quarter more or less.  The first goes where the peer was last heard, then by turns one and the same
 *			call to all of the topology's endpoints at once, and one to one of them or there, in a row: the quickest way
 *			is found at once, and also one that another, which is quicker but leads back nowhere, would hide.  Without any address none is made: the peer may know where we are.
 *	wanted		somebody has frames for the peer: attempts are frequent again
 *	endpoints	new ones are tried at once, unless the peer is well where it is
 *
 * With a session:
 *
 *	rekey		when the session is old or worn: by the initiator, CONTACT_REKEY_GRACE_MS later by the responder; each a little later
 *			by chance, so that two that began at once do not go on so, and a host's thousand peers do not come together
 *	probe		as the path's pace says (CONTACT_PACES): a wire's at fixed times, others so long after the peer was last heard,
 *			which keeps NATs open too.  Of two peers the one that asked for the session probes, and the other answers.  What
 *			is not answered is asked again soon, so that it takes several losses in a row to call a peer silent.  Where
 *			there is much to hear, one each CONTACT_ROUND_TRIP_MS measures the round trip
 *	silent		nothing heard for as long as the pace allows: handshakes at the intervals of attempts, and a probe a second, until
 *			something is heard
 *	doubted		somebody says that the peer, or we, are elsewhere or gone: probed at once, and at the active pace until heard
 *	missed, expected	the controller has lost it, or has it again: one that is up is doubted, one that is not is asked anew, and nothing else
 *	goodbye		the peer has said in the session that it stops: gone, at once.  It is asked for a handshake at once, each second for a minute
 *			and ever less often then, at least at CONTACT_RETRY_MAX_MS while frames wait, so that it is back when it is.  Anything
 *			authentic that is heard undoes it
 *	expired		the session has reached its last moment: no session, see above
 *
 * A pace is counted from when it began: a path that was idle, and not heard for long for that, is not silent with its first frame.
 *
 * What people see (enum contact_state) follows from these fields alone, so it cannot say anything else than what is done.
 *
 * Sans I/O: the caller sends what is asked for, and reads the counters from which "sent" and "heard" are told.  Owner: the
 * control thread.
 */
#ifndef OVERLAY_PEER_CONTACT_H
#define OVERLAY_PEER_CONTACT_H

#include "base/addr.h"
#include "base/clock.h"
#include "lab/limits.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTACT_WHY_BYTES 224U

#define CONTACT_RETRY_MS 500U
#define CONTACT_RETRY_MAX_MS 5000U
#define CONTACT_RETRY_SLOW_MS 30000U
#define CONTACT_UNREACHABLE_MS 60000U
#define CONTACT_REKEY_GRACE_MS 10000U
#define CONTACT_REKEY_SPREAD 64U  /* a rekey's delay by chance is up to this part of the session's time */
#define CONTACT_CARRIED_MS 60000U /* a path is active so long after a frame */
#define CONTACT_ROUND_TRIP_MS 60000U
#define CONTACT_SILENT_PROBE_MS 1000U
#define CONTACT_GOODBYE_MS 1000U
#define CONTACT_ROAM_MS 200U    /* a path moves at most this often, see contact_roamed() */
#define CONTACT_SPOKEN_MS 3000U /* for so long it is remembered to which of our addresses a peer spoke once */
#define CONTACT_QUIET_MS 700U   /* of one that was not heard for so long before, it is believed at once */
#define CONTACT_SWAP_MS 10000U
#define CONTACT_SWAPS_MAX 5U
#define CONTACT_DISOWNED_MS 60000U
#define CONTACT_GAP_MS 50U /* between two attempts, whatever happens */

/*
 * How closely a path is watched.  Name, as people see it; a probe so long after the last was heard; another one where it is not answered;
 * silent where nothing was heard for so long.  A slower one never makes a path silent sooner
 */
#define CONTACT_PACES(X)                                                        \
	X(IDLE, "idle", 15000U, 1000U, 30000U)                                  \
	X(ACTIVE, "active", 1500U, 250U, 3000U) /* it carried a frame lately */ \
	X(WIRE, "wire", 250U, 250U, 1000U)      /* the peer has a wire's other end */

/* name, as people see it */
#define CONTACT_STATES(X)                                                                                           \
	X(CONNECTING, "connecting")   /* no session, and handshakes go out */                                       \
	X(UP, "up")                   /* a session, and the peer is heard as its pace asks */                       \
	X(SILENT, "silent")           /* a session, and the peer was not heard for longer */                        \
	X(UNREACHABLE, "unreachable") /* no session after a minute of attempts, or no address to try; they go on */ \
	X(REFUSED, "refused")         /* may not be a peer, see contact_why() */                                    \
	X(GONE, "gone")               /* it said goodbye, or the topology names it no more */

enum contact_pace {
#define X(name, text, probe_ms, retry_ms, silent_ms) CONTACT_##name,
	CONTACT_PACES(X)
#undef X
		CONTACT_PACES_COUNT
};

enum contact_state {
#define X(name, text) CONTACT_##name,
	CONTACT_STATES(X)
#undef X
		CONTACT_STATES_COUNT
};

enum contact_action {
	CONTACT_NOTHING,
	CONTACT_INITIATE, /* send an initiation to `to` */
	CONTACT_REKEY,    /* the same, with a session that goes on meanwhile */
	CONTACT_PROBE,    /* send a small probe where the peer is */
};

struct contact_todo {
	enum contact_action action;
	struct endpoint to;  /* with CONTACT_INITIATE and CONTACT_REKEY */
	bool everywhere;     /* with them: at all of the others at once as well, see contact_others() */
	struct instant next; /* ask again then, or after any event; 0: only after one */
};

struct contact {
	/* where */
	struct endpoint endpoints[PEER_ENDPOINTS_MAX]; /* from the topology */
	uint32_t endpoints_count;
	uint32_t endpoint_next; /* which of them is tried next */
	bool asked_everywhere;  /* the last attempt, or the one before where that went to where the peer was heard */
	struct endpoint at;     /* where the peer was last heard, and to which address of ours it speaks */
	bool has_at;
	struct endpoint spoken_to; /* another of ours that it speaks to lately: its local_ip alone */
	struct instant spoken_at;  /* the first time; 0: it does not */
	struct endpoint tried;     /* by the last attempt */

	/* attempts */
	uint32_t attempts;           /* since the last success */
	struct instant attempt_at;   /* the next one; 0: none is due */
	struct instant attempted_at; /* the last one */
	struct instant asked_at;     /* the first in vain; 0: none was */

	/* the session that we send in */
	bool session;
	bool asked;     /* it was we who asked for it */
	bool probe_due; /* at once, whenever the last one was */
	struct instant rekey_at;
	uint64_t rekey_spread_ms; /* so much later at most */
	struct instant heard_at;
	struct instant probed_at;
	struct instant unanswered_at; /* since when we send and hear nothing; 0: we hear something */
	struct instant roamed_at;
	struct endpoint left; /* where the peer was before */
	uint32_t swaps;       /* how often it has come back there of late */
	uint32_t jitter;      /* the last poll's */
	struct instant
		disowned_at; /* it said that it answers another machine with our keys; 0: not, or we have a session since */
	struct instant goodbye_at; /* it has said so; 0: not, or it was heard again */
	struct instant doubted_at; /* 0: it is not, or was heard since */
	bool silent;

	/* how closely it is watched */
	bool wire;
	struct instant carried_at; /* the last frame; 0: none yet */
	enum contact_pace pace;
	struct instant pace_since; /* it is no slower since */

	/* what people see */
	enum contact_state state;
	struct instant since;
	bool refused, gone;
	char why[CONTACT_WHY_BYTES];
};

/* A peer that is looked for from now on */
void contact_init(struct contact *contact, struct instant now);

/* Frames wait for a session */
void contact_wanted(struct contact *contact, struct instant now);

/* The topology's addresses of the peer, at most PEER_ENDPOINTS_MAX; the same ones again change nothing */
void contact_endpoints_changed(struct contact *contact, const struct endpoint *endpoints, uint32_t count,
	struct instant now);

/**
 * contact_answered() - our initiation was, from @from: there is a session that we send in
 * @rekey_ms:	how long it is good for
 */
void contact_answered(struct contact *contact, const struct endpoint *from, uint64_t rekey_ms, struct instant now);

/* The peer has used the session that we answered with: we send in it now, too */
void contact_confirmed(struct contact *contact, uint64_t rekey_ms, struct instant now);

/* The peer answers another machine, which has our keys as well */
void contact_disowned(struct contact *contact, struct instant now);

/* The peer is busy and has given us a cookie: ask again with it, at once */
void contact_cookie(struct contact *contact, struct instant now);

/* Since the caller last looked something authentic came, the last of it at @at */
void contact_heard(struct contact *contact, struct instant at, struct instant now);

/**
 * contact_roamed() - the newest datagram of all came from elsewhere, or to another address of ours
 *
 * Return: whether to send there, or from there, from now on: `at` says it.  Not where that is so already, nor twice within
 * CONTACT_ROAM_MS and as much again by chance.  Two hosts with two addresses each, which follow each other at once, would swap for ever:
 * so that time doubles with each return to where the peer was just before, and where only the address of ours is another, the peer
 * has to go on with it for CONTACT_ROAM_MS, unless it was not heard for a while.
 */
bool contact_roamed(struct contact *contact, const struct endpoint *from, struct instant now)
	__attribute__((warn_unused_result));

/* The address of ours that the peer speaks to is gone: the kernel chooses, and the peer follows */
void contact_local_lost(struct contact *contact);

/* Since the caller last looked something was sent and nothing heard */
void contact_unanswered(struct contact *contact, struct instant now);

/* A frame went to the peer or came from it, the last one at @at */
void contact_carried(struct contact *contact, struct instant at, struct instant now);

/* Whether the peer has the other end of a wire */
void contact_wire(struct contact *contact, bool wire, struct instant now);

/* It was at @at in another life of this program: asked there first, where nothing newer is known */
void contact_recalled(struct contact *contact, const struct endpoint *at, struct instant now);

/* Somebody says that the peer came or went, or we are elsewhere ourselves: see whether it answers, at once */
void contact_doubted(struct contact *contact, struct instant now);

/* The controller says that it lost the peer: one that is up is doubted, once until it is heard */
void contact_missed(struct contact *contact, struct instant now);

/* The controller says that the peer has come: one that is not up is asked at once, CONTACT_RETRY_MS after the last time at the soonest */
void contact_expected(struct contact *contact, struct instant now);

/* The peer said goodbye in the session that we send in; what was last heard of it came at @at */
void contact_goodbye(struct contact *contact, struct instant at, struct instant now);

/* The session's counters near their end: rekey */
void contact_worn(struct contact *contact, struct instant now);

/* The session that we sent in has reached its last moment, or was ended */
void contact_expired(struct contact *contact, struct instant now);

/* It may not be a peer: nothing is done about it any more.  @why: a line for people */
void contact_refused(struct contact *contact, const char *why, struct instant now);

/* The topology names it no more: nothing is done about it any more */
void contact_gone(struct contact *contact, struct instant now);

/**
 * contact_poll() - what is to be done now
 * @jitter:	a random number
 *
 * What it says is taken for done: an attempt's successor is due at its interval.  It may have more to say, so call it
 * until it says CONTACT_NOTHING.
 */
struct contact_todo contact_poll(struct contact *contact, uint32_t jitter, struct instant now)
	__attribute__((warn_unused_result));

/**
 * contact_others() - the topology's addresses of the peer but for one
 * @but:	that one
 * @out:	of PEER_ENDPOINTS_MAX
 *
 * Return: how many there are
 */
uint32_t contact_others(const struct contact *contact, const struct endpoint *but, struct endpoint *out);

/* Return: the name, as people see it */
const char *contact_state_name(enum contact_state state);
const char *contact_pace_name(enum contact_pace pace);

/**
 * contact_why() - the reason for a state that is not up, for people, with the address that was tried last
 * @out:	CONTACT_WHY_BYTES; "" where the state needs no reason
 */
void contact_why(const struct contact *contact, char out[CONTACT_WHY_BYTES]);

#endif /* OVERLAY_PEER_CONTACT_H */

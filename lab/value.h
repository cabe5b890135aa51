/*
 * value.h - the types that an attribute may have: how each is held, read, written, compared and described
 *
 * A type is a row of VALUE_TYPES and the macro VALUE_name(), which declares its member; attribute.h has tables of members.
 * Values are read from documents of strangers: whatever is not right is refused with its place.
 */
#ifndef LAB_VALUE_H
#define LAB_VALUE_H

#include "base/addr.h"
#include "lab/attach.h"
#include "lab/fault.h"
#include "lab/limits.h"
#include "lab/network_mode.h"
#include "lab/vlan_policy.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_WHERE_BYTES 320U /* two names and a few words between them; longer places are cut */

struct ip {
	bool v6;
	uint8_t bytes[16]; /* an IPv4 address is the first 4; the others are 0 */
};

struct ip_list {
	struct ip *items; /* on the heap; NULL for none */
	uint32_t count;   /* at most LAB_IPS_MAX */
};

/* How each type is held.  All bytes 0 is what an absent value is, but for flags and numbers, which have a fallback */
#define VALUE_name(member) char member[LAB_NAME_BYTES]      /* of a host or network; "": none */
#define VALUE_attach(member) char member[ATTACH_TEXT_BYTES] /* attach.h's text; "": none */
#define VALUE_flag(member) bool member
#define VALUE_number(member) uint32_t member
#define VALUE_mode(member) enum network_mode member
#define VALUE_passes(member) unsigned int member      /* enum network_pass bits */
#define VALUE_mac(member) struct mac member           /* zero: none */
#define VALUE_addresses(member) struct ip_list member /* owned */
#define VALUE_vlan(member) struct vlan_policy member

#define VALUE_TYPES(X) \
	X(name)        \
	X(attach)      \
	X(flag)        \
	X(number)      \
	X(mode)        \
	X(passes)      \
	X(mac)         \
	X(addresses)   \
	X(vlan)

/* What a value looks like where people write it */
enum value_shape {
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_TRUTH,
	VALUE_MAPPING, /* of its own keys */
	VALUE_LIST,    /* of text */
	VALUE_ONE_OR_LIST,
};

/* Numbers: what is taken.  @fallback is what an absent flag or number is */
struct value_range {
	int64_t min, max, fallback;
};

/* One value being read */
struct value_in {
	const char *parent; /* its object's place: "ports.a-lan" */
	const char *key;
	bool strict; /* members that are not known are faults: a lab is.  Documents between programs are not, so that versions mix */
	struct value_range range;
	struct fault *fault;
};

struct value_type {
	const char *name;
	size_t bytes;
	enum value_shape shape;
	/* @value is there and not null; @out holds an absent value.  Return: false with the fault set */
	bool (*decode)(const struct value_in *in, const json_t *value, void *out);
	/* Return: new; NULL where the value is absent or memory is short */
	json_t *(*encode)(const void *value);
	bool (*equal)(const void *a, const void *b);
	/* As a JSON Schema, new */
	json_t *(*schema)(const struct value_range *range);
	/* NULL where nothing is owned */
	void (*fini)(void *value);
	/* What an absent one is, where not all bytes 0 */
	void (*preset)(void *out, int64_t fallback);
};

#define X(name) extern const struct value_type value_type_##name;
VALUE_TYPES(X)
#undef X

/* Note a fault at parent.key@inside, unless there is one.  Return: false */
bool value_fault(const struct value_in *in, const char *inside, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "is a list", "is missing", ... for a message */
const char *value_kind(const json_t *value);

/* Every key of @object is one of the @count words of @keys, or false with the fault set at its place */
bool value_keys_known(const struct value_in *in, const json_t *object, const char *const *keys, size_t count);

/* Whether there is a MAC address */
bool value_mac_given(const struct mac *mac);

/* [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most LAB_NAME_MAX */
bool lab_name_ok(const char *name);

#endif /* LAB_VALUE_H */

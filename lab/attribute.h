/*
 * attribute.h - tables of what a network and a port can be given, and everything that is made from them
 *
 * A new attribute is a row of PORT_ATTRIBUTES (lab/lab_port.h) or NETWORK_ATTRIBUTES (lab/lab_network.h).  From its row are made: the
 * member of the struct; the way in and out of the lab document and of the agent's topology document; what a change is;
 * the columns of `weft get`; which keys a lab file may have; the lab file's JSON Schema.  A test holds the manual and the
 * API's description to it.  What an attribute does is its user's.
 */
#ifndef LAB_ATTRIBUTE_H
#define LAB_ATTRIBUTE_H

#include "lab/value.h"

/* The documents in which an attribute stands, as bits, and REQUIRED: where it stands it must be there */
#define IN_LAB (1U << 0)    /* the lab's: a network or a port; and the lists of the API */
#define IN_END (1U << 1)    /* the lab's: an end of a wire */
#define IN_AGENT (1U << 2)  /* the agent's: a network, a port of its own */
#define IN_REMOTE (1U << 3) /* the agent's: a port of another host */
#define REQUIRED (1U << 4)

#define ANY             \
	{               \
		0, 0, 0 \
	}
#define DEFAULT(value)      \
	{                   \
		0, 0, value \
	}
#define BETWEEN(min, max, value) \
	{                        \
		min, max, value  \
	}

struct attribute {
	const char *name; /* in every document */
	const struct value_type *type;
	size_t offset; /* of its member */
	struct value_range range;
	unsigned int in;
	const char *column;  /* of `weft get`; NULL: only in its --json */
	const char *example; /* as a lab file has it */
	const char *about;   /* in a few words */
};

struct attributes {
	const struct attribute *rows;
	size_t count;
};

/* An absent value for every attribute.  Whatever @object held is forgotten, not freed */
void attributes_init(const struct attributes *table, void *object);
void attributes_fini(const struct attributes *table, void *object);

/**
 * attributes_decode() - the attributes that stand in @document's kind of object
 * @object:	JSON object, borrowed
 * @document:	one of IN_...
 * @strict:	refuse members that are not known, and null; otherwise these count as absent
 * @where:	the object's place
 * @out:	of attributes_init(); attributes_fini() is due after a fault too
 *
 * Return: false with @fault set
 */
bool attributes_decode(const struct attributes *table, const json_t *object, unsigned int document, bool strict,
	const char *where, void *out, struct fault *fault) __attribute__((warn_unused_result));

/* Write the attributes that stand in @document into @out.  Absent ones are not written, defaults are */
void attributes_encode(const struct attributes *table, const void *object, unsigned int document, json_t *out);

/* The same from @item, a JSON object that has them all already: values are shared, not copied */
void attributes_copy(const struct attributes *table, const json_t *item, unsigned int document, json_t *out);

bool attributes_equal(const struct attributes *table, const void *a, const void *b);

/* {"type": "object", "properties", "required", "additionalProperties": false}: JSON Schema of @document's object, new */
json_t *attributes_schema(const struct attributes *table, unsigned int document);

#endif /* LAB_ATTRIBUTE_H */

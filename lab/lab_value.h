/*
 * lab_value.h - single values of a lab: are they right, and what is their canonical form?
 *
 * For lab.c only.  Each function takes the value at @where and returns the canonical one (a new reference), or NULL
 * with @fault set.
 */
#ifndef LAB_LAB_VALUE_H
#define LAB_LAB_VALUE_H

#include "lab/fault.h"

#include <jansson.h>

/* Long enough for two names and a few words between them; longer places are cut */
#define LAB_WHERE_BYTES 320U

/* Write a place as printf() would */
void lab_where(char out[LAB_WHERE_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "bridge:br-lab", "tap:esx1-nic0", "packet:eth1" */
json_t *lab_value_attach(const json_t *value, const char *where, struct fault *fault);

/* A unicast MAC; canonical is lower case with colons */
json_t *lab_value_mac(const json_t *value, const char *where, struct fault *fault);

/* One address or a list of them; canonical is a list of addresses as inet_ntop() writes them */
json_t *lab_value_ip(const json_t *value, const char *where, struct fault *fault);

/* {"trunk": "all"}, {"trunk": [10, 20]} (canonical: sorted), {"access": 10} */
json_t *lab_value_vlan(const json_t *value, const char *where, struct fault *fault);

/* ["lldp", "stp"] (canonical: each once, in the standard's order of addresses) */
json_t *lab_value_pass(const json_t *value, const char *where, struct fault *fault);

json_t *lab_value_mtu(const json_t *value, const char *where, struct fault *fault);
json_t *lab_value_bool(const json_t *value, const char *where, struct fault *fault);

/* Every key of @object is one of @keys (NULL at the end).  Return: false with @fault set */
bool lab_value_keys(const json_t *object, const char *const *keys, const char *where, struct fault *fault);

/* "is a list", "is missing", ... for a message */
const char *lab_value_kind(const json_t *value);

#endif /* LAB_LAB_VALUE_H */

/*
 * config.c - see config.h
 */
#include "overlay/agent/config.h"

#include "base/error.h"
#include "base/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

bool config_path(const char *state, const char *name, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", state, name) < PATH_MAX;
}

int config_load(const char *state, struct config *out, struct error *error)
{
	struct x25519_private private;
	int err;

	memset(out, 0, sizeof(*out));
	err = enrolment_load(state, &out->enrolment, error);
	if (!err) {
		memcpy(out->self.psk.bytes, out->enrolment.psk, sizeof(out->self.psk.bytes));
		memcpy(private.bytes, out->enrolment.tunnel_key, sizeof(private.bytes));
		if (!x25519_from_private(&private, &out->self.static_key)) {
			error_set(error, "%.400s/tunnel.key is no X25519 key: enrol this host again", state);
			err = -EINVAL;
		}
		secret_wipe(&private, sizeof(private));
	}
	if (err)
		config_fini(out);
	return err;
}

bool config_same_identity(const struct config *a, const struct config *b)
{
	return strcmp(a->enrolment.host, b->enrolment.host) == 0 &&
		CRYPTO_memcmp(&a->self, &b->self, sizeof(a->self)) == 0 &&
		strcmp(a->enrolment.ca_pem, b->enrolment.ca_pem) == 0;
}

void config_fini(struct config *config)
{
	enrolment_fini(&config->enrolment);
	secret_wipe(config, sizeof(*config));
}

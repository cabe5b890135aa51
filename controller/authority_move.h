/*
 * authority_move.h - the controller is reached at another address from now on
 *
 * `weft-controller --set-address`.  The certificate is issued anew for the key that there is, with the new address and the former
 * ones; then operator.json, and last controller.json are replaced, each as a whole: after a crash in between the old address
 * holds, and the command may be given again.  A daemon that runs takes it on SIGHUP.
 */
#ifndef CONTROLLER_AUTHORITY_MOVE_H
#define CONTROLLER_AUTHORITY_MOVE_H

#include "base/error.h"

struct authority_place {
	const char *dir;
	const char *address; /* "ADDR[:PORT]", numeric or a DNS name */
	const char *listen;  /* "ADDR[:PORT]", numeric; NULL: as before, or @address where these were one so far */
};

/**
 * authority_move() - change the folder
 * @error:	for the operator, on failure
 *
 * Where the CA's key is kept elsewhere the certificate stays: weft's own programs do not look at names in it (client/http_client.h).
 *
 * Return: 0, or -errno
 */
int authority_move(const struct authority_place *place, struct error *error) __attribute__((warn_unused_result));

#endif /* CONTROLLER_AUTHORITY_MOVE_H */

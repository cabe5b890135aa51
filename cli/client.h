/*
 * client.h - HTTP and JSON to the controller or to the local agent, one call after the other
 *
 * client/http_client.h for programs that wait.  What goes wrong on the way is said on stderr here; what the server refuses is the
 * caller's to report, since a lab file knows better where it is.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/invocation.h"

#include <jansson.h>

#define CLIENT_ANSWER_BYTES_MAX (256U << 20)
#define CLIENT_LINE_BYTES_MAX (4U << 20)

struct client;

/* One of: a socket's path; or an address, with what is known of the server */
struct client_target {
	const char *socket;      /* path of a unix socket, or NULL */
	const char *address;     /* with its port */
	const char *ca_pem;      /* exactly one certificate; NULL: anybody may answer, and nothing secret may be sent */
	const char *bearer;      /* operator's token, or NULL */
	const char *server_name; /* for messages: "the controller" */
	const char *remedy;      /* for messages: what to look at where it does not answer */
};

struct answer {
	long status;  /* of HTTP */
	json_t *json; /* NULL where the body was none */
};

/* Everything in @target is borrowed for the client's life.  Return: NULL after it has said why */
struct client *client_new(const struct client_target *target);
void client_free(struct client *client);

/**
 * client_call() - one request, at most 30 s
 * @method:	"GET", "PUT", ...
 * @body:	borrowed, or NULL
 * @out:	of CLI_OK: the server's answer, whatever its status; answer_fini() it
 *
 * Return: CLI_OK, or CLI_UNREACHABLE after it has said why
 */
enum cli_exit client_call(struct client *client, const char *method, const char *path, const json_t *body,
	struct answer *out) __attribute__((warn_unused_result));

/* One object of a watch.  Return: false to end the stream */
typedef bool client_line_fn(void *ctx, const json_t *line);

/**
 * client_watch() - a stream of JSON objects, one a line, until @on_line or the server ends it
 * @on_line:	not told of heartbeats
 * @out:	the answer where the server refused (status of 400 and more); answer_fini() it
 *
 * Return: CLI_OK; CLI_UNREACHABLE after it has said why, a silence of 30 s included
 */
enum cli_exit client_watch(struct client *client, const char *path, client_line_fn *on_line, void *ctx,
	struct answer *out) __attribute__((warn_unused_result));

static inline bool answer_good(const struct answer *answer)
{
	return answer->status >= 200 && answer->status < 300 && answer->json;
}

/* Says what the server refused: "weft: @what: where: message; hint".  Return: CLI_FAILED */
enum cli_exit answer_refused(const struct answer *answer, const char *what);

void answer_fini(struct answer *answer);

#endif /* CLI_CLIENT_H */

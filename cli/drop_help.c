/*
 * drop_help.c - see drop_help.h
 */
#include "cli/drop_help.h"

#include "base/drop_list.h"
#include "base/suggest.h"
#include "cli/say.h"
#include "crypto/handshake.h"
#include "crypto/replay.h"
#include "encap/fragment.h"
#include "encap/gre.h"
#include "encap/record.h"
#include "packet/coalesce.h"
#include "packet/segment.h"
#include "switch/fdb.h"
#include "switch/verdict.h"
#include "tap/port.h"

#include <stdio.h>
#include <string.h>

static const struct drop_help helps[] = {
#define X(id, name, text) { name, text },
	OVERLAY_DROPS(X)
#define M(module, MODULE) MODULE##_DROPS(X)
		DROP_MODULES(M)
#undef M
#undef X
};

#define HELPS (sizeof(helps) / sizeof(helps[0]))

const struct drop_help *drop_help_all(size_t *count)
{
	*count = HELPS;
	return helps;
}

const char *drop_help_text(const char *name)
{
	for (size_t i = 0; i < HELPS; i++)
		if (strcmp(helps[i].name, name) == 0)
			return helps[i].text;
	return NULL;
}

void drop_help_print(const char *name, const char *text)
{
	printf("%s\n", name);
	say_wrapped(4, text);
}

static enum cli_exit unknown(const char *name)
{
	const char *words[HELPS], *meant;

	for (size_t i = 0; i < HELPS; i++)
		words[i] = helps[i].name;
	meant = suggest(name, words, HELPS);
	if (meant)
		return say_error(CLI_USAGE, "%s: no such drop; did you mean: weft help drop %s?", name, meant);
	return say_error(CLI_USAGE, "%s: no such drop; `weft help drop` lists them", name);
}

static void print_json(const char *name)
{
	json_t *list = json_array();

	for (size_t i = 0; i < HELPS; i++)
		if (!name || strcmp(helps[i].name, name) == 0)
			json_array_append_new(list,
				json_pack("{s:s, s:s}", "name", helps[i].name, "text", helps[i].text));
	say_json(list);
	json_decref(list);
}

enum cli_exit drop_help_run(const struct invocation *in, const char *name)
{
	if (name && !drop_help_text(name))
		return unknown(name);
	if (invocation_has(in, OPTION_JSON)) {
		print_json(name);
		return CLI_OK;
	}
	for (size_t i = 0; i < HELPS; i++)
		if (!name || strcmp(helps[i].name, name) == 0)
			drop_help_print(helps[i].name, helps[i].text);
	return CLI_OK;
}

/*
 * fuzz_intake.c - what a server sends, in pieces of any size, against the whole of it cut at its newlines; and libcurl's remarks
 *
 * The first byte is the bound, the second the size of pieces.
 */
#include "client/attempts.h"
#include "client/intake.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

/* Lines as they come have to be those of the text, one after the other */
static void lines(const uint8_t *text, size_t size, size_t max_bytes, size_t piece)
{
	struct intake intake = { .max_bytes = max_bytes };
	size_t told = 0, len_bytes;
	const char *line;

	for (size_t at = 0; at < size; at += piece) {
		const size_t len = size - at < piece ? size - at : piece;

		if (!intake_add(&intake, text + at, len)) {
			must(at + len - told > max_bytes);
			break;
		}
		must(intake.cap_bytes <= max_bytes);
		while ((line = intake_line(&intake, &len_bytes)) != NULL) {
			must(told + len_bytes < at + len && text[told + len_bytes] == '\n');
			must(memcmp(line, text + told, len_bytes) == 0 && !memchr(text + told, '\n', len_bytes));
			told += len_bytes + 1;
		}
		line = intake_rest(&intake, &len_bytes);
		must(told + len_bytes == at + len && !memchr(line, '\n', len_bytes));
	}
	intake_fini(&intake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attempts attempts = { 0 };
	char out[ATTEMPTS_TEXT_BYTES];

	if (size < 2)
		return 0;
	lines(data + 2, size - 2, data[0], (size_t)data[1] + 1);
	attempts_tried(&attempts, "192.0.2.1");
	attempts_tried(&attempts, "2001:db8::1");
	attempts_remark(&attempts, (const char *)data + 2, size - 2);
	attempts_describe(&attempts, "192.0.2.1", out);
	return 0;
}

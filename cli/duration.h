/*
 * duration.h - spans of time as people write and read them
 *
 * A pure codec: "90s", "1h30m", "500ms" in; "12s", "3m04s", "2d5h" out.
 */
#ifndef CLI_DURATION_H
#define CLI_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#define DURATION_TEXT_BYTES 16U
#define DURATION_MAX_MS (366ULL * 24 * 3600 * 1000)

/**
 * duration_parse() - "1h30m", "45s", "250ms", "7d"
 * @text:	numbers with the units d, h, m, s, ms, largest first, no spaces
 * @out_ms:	1..DURATION_MAX_MS, written only on success
 *
 * Return: false where @text is anything else; a number without its unit is refused, since nobody agrees on which
 */
bool duration_parse(const char *text, uint64_t *out_ms) __attribute__((warn_unused_result));

/* The two largest units that matter: "950ms", "12s", "3m04s", "2h05m", "4d3h" */
void duration_format(uint64_t ms, char out[DURATION_TEXT_BYTES]);

#endif /* CLI_DURATION_H */

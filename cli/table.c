/*
 * table.c - see table.h
 */
#include "cli/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP 2U        /* spaces between columns */
#define SHRUNK_MIN 8U /* what a shrinking column keeps */
#define CELL_MAX 1024U

struct table {
	const struct table_column *columns;
	size_t column_count;
	char **cells;
	size_t cell_count;
	size_t cell_cap;
	size_t widths[TABLE_COLUMNS_MAX]; /* of what was printed, so that later rows stand under it */
	bool titled;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *table;

	if (count == 0 || count > TABLE_COLUMNS_MAX)
		return NULL;
	table = calloc(1, sizeof(*table));
	if (table) {
		table->columns = columns;
		table->column_count = count;
	}
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

/* Length of the valid UTF-8 sequence at @at that is no control character, 0 where there is none */
static size_t printable_bytes(const unsigned char *at)
{
	size_t n = at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
		: at[0] >= 0xe0 && at[0] < 0xf0   ? 3
		: at[0] >= 0xc2 && at[0] < 0xe0   ? 2
						  : 0;

	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7f;
	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90)) /* longer than it need be: a disguise */
		return 0;
	if (at[0] == 0xc2 && at[1] < 0xa0) /* C1 controls: CSI among them */
		return 0;
	return n;
}

void table_clean(char *text)
{
	unsigned char *at = (unsigned char *)text;

	while (*at) {
		size_t n = printable_bytes(at);

		if (n == 0)
			*at = '?';
		at += n ? n : 1;
	}
}

void table_add(struct table *table, const char *text)
{
	char *copy;

	if (table->cell_count == table->cell_cap) {
		size_t cap = table->cell_cap ? table->cell_cap * 2 : 64;
		char **cells = reallocarray(table->cells, cap, sizeof(*cells));

		if (!cells)
			abort();
		table->cells = cells;
		table->cell_cap = cap;
	}
	copy = strndup(text && *text ? text : "-", CELL_MAX);
	if (!copy)
		abort();
	table_clean(copy);
	table->cells[table->cell_count++] = copy;
}

void table_addf(struct table *table, const char *format, ...)
{
	char text[CELL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_add(table, text);
}

size_t table_rows(const struct table *table)
{
	return table->cell_count / table->column_count;
}

/* Columns of the screen: what is not a continuation byte of UTF-8 */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void fit(struct table *table, size_t total, size_t width)
{
	size_t *widths = table->widths;

	while (total > width) {
		size_t widest = table->column_count;

		for (size_t c = 0; c < table->column_count; c++) {
			if (!table->columns[c].shrinks || widths[c] <= SHRUNK_MIN)
				continue;
			if (widest == table->column_count || widths[c] > widths[widest])
				widest = c;
		}
		if (widest == table->column_count)
			return; /* nothing left to cut: a long line is better than a lost figure */
		widths[widest]--;
		total--;
	}
}

static void print_cell(FILE *to, const char *text, size_t width, bool right, bool last)
{
	size_t have = width_of(text);
	size_t pad = have < width ? width - have : 0;

	if (right)
		fprintf(to, "%*s", (int)pad, "");
	if (have <= width) {
		fputs(text, to);
	} else {
		const char *end = text;

		for (size_t columns = 0; *end; end++) {
			columns += ((unsigned char)*end & 0xc0) != 0x80;
			if (columns == width)
				break;
		}
		fprintf(to, "%.*s…", (int)(end - text), text);
	}
	if (last)
		fputc('\n', to);
	else
		fprintf(to, "%*s", (int)((right ? 0 : pad) + GAP), "");
}

/* Return: the width of all columns together */
static size_t measure(struct table *table)
{
	size_t total = 0;

	for (size_t c = 0; c < table->column_count; c++) {
		size_t *width = &table->widths[c];

		if (!table->titled)
			*width = width_of(table->columns[c].title);
		for (size_t i = c; i < table->cell_count; i += table->column_count) {
			size_t have = width_of(table->cells[i]);

			if (have > *width)
				*width = have;
		}
		total += *width + (c ? GAP : 0);
	}
	return total;
}

void table_print(struct table *table, FILE *to, size_t width)
{
	size_t total = measure(table);
	size_t last = table->column_count - 1;

	assert(table->cell_count % table->column_count == 0);
	if (width != TABLE_WIDTH_UNLIMITED)
		fit(table, total, width);
	for (size_t c = 0; c <= last && !table->titled; c++)
		print_cell(to, table->columns[c].title, table->widths[c], table->columns[c].right, c == last);
	table->titled = true;
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t c = i % table->column_count;

		print_cell(to, table->cells[i], table->widths[c], table->columns[c].right, c == last);
		free(table->cells[i]);
	}
	table->cell_count = 0;
}

size_t table_screen_width(FILE *to)
{
	struct winsize size;

	if (!isatty(fileno(to)))
		return TABLE_WIDTH_UNLIMITED;
	if (ioctl(fileno(to), TIOCGWINSZ, &size) < 0 || size.ws_col < 80)
		return 80;
	return size.ws_col;
}

void table_human_bytes(unsigned long long bytes, char out[HUMAN_BYTES_TEXT])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 999.5 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(out, HUMAN_BYTES_TEXT, "%llu", bytes);
	else
		snprintf(out, HUMAN_BYTES_TEXT, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

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
#define NOTE_INDENT 4U

struct table {
	const struct table_column *columns;
	size_t column_count;
	char **cells;
	size_t cell_count;
	size_t cell_cap;
	size_t widths[TABLE_COLUMNS_MAX]; /* of what was printed, so that later rows stand under it */
	bool omitted[TABLE_COLUMNS_MAX];
	char **notes;
	size_t note_count;
	bool omits_empty;
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
	for (size_t i = 0; i < table->note_count; i++)
		free(table->notes[i]);
	free(table->notes);
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

void table_note(struct table *table, const char *format, ...)
{
	char text[CELL_MAX * 2];
	char **notes = reallocarray(table->notes, table->note_count + 1, sizeof(*notes));
	va_list args;

	if (!notes)
		abort();
	table->notes = notes;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_clean(text);
	notes[table->note_count] = strdup(text);
	if (!notes[table->note_count++])
		abort();
}

void table_omit_empty(struct table *table)
{
	table->omits_empty = true;
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

/* Return: the widest column that may still be cut, of those whose .first is @first; column_count: none */
static size_t widest(const struct table *table, bool first)
{
	size_t found = table->column_count;

	for (size_t c = 0; c < table->column_count; c++) {
		if (table->omitted[c] || !table->columns[c].shrinks || table->columns[c].first != first ||
			table->widths[c] <= SHRUNK_MIN)
			continue;
		if (found == table->column_count || table->widths[c] > table->widths[found])
			found = c;
	}
	return found;
}

static void fit(struct table *table, size_t total, size_t width)
{
	for (; total > width; total--) {
		size_t c = widest(table, true);

		if (c == table->column_count)
			c = widest(table, false);
		if (c == table->column_count)
			return; /* nothing left to cut: a long line is better than a lost figure */
		table->widths[c]--;
	}
}

/* Return: where the @columns-th character of @text begins, or its end */
static const char *character(const char *text, size_t columns)
{
	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80 && columns-- == 0)
			break;
	return text;
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
		size_t tail = (width - 1) / 2;

		fprintf(to, "%.*s…%s", (int)(character(text, width - 1 - tail) - text), text,
			character(text, have - tail));
	}
	if (last)
		fputc('\n', to);
	else
		fprintf(to, "%*s", (int)((right ? 0 : pad) + GAP), "");
}

static bool is_empty(const struct table *table, size_t column)
{
	for (size_t i = column; i < table->cell_count; i += table->column_count)
		if (strcmp(table->cells[i], "-") != 0)
			return false;
	return true;
}

/* Return: the width of all columns together */
static size_t measure(struct table *table)
{
	size_t total = 0;

	for (size_t c = 0; c < table->column_count; c++) {
		size_t *width = &table->widths[c];

		if (!table->titled) {
			*width = width_of(table->columns[c].title);
			table->omitted[c] = table->omits_empty && is_empty(table, c);
		}
		if (table->omitted[c])
			continue;
		for (size_t i = c; i < table->cell_count; i += table->column_count) {
			size_t have = width_of(table->cells[i]);

			if (have > *width)
				*width = have;
		}
		total += *width + (total ? GAP : 0);
	}
	return total;
}

/* @cells: one for each column, what is not omitted of them */
static void print_row(const struct table *table, FILE *to, char *const *cells)
{
	size_t last = table->column_count - 1;

	while (last > 0 && table->omitted[last])
		last--;
	for (size_t c = 0; c <= last; c++)
		if (!table->omitted[c])
			print_cell(to, cells ? cells[c] : table->columns[c].title, table->widths[c],
				table->columns[c].right, c == last);
}

/* Return: how many bytes of @text fit a line of @width columns, cut at a space where there is one */
static size_t line_bytes(const char *text, size_t width)
{
	const char *end = character(text, width), *cut = end;

	if (!*end)
		return (size_t)(end - text);
	while (cut > text && *cut != ' ')
		cut--;
	while (cut > text && cut[-1] == ' ')
		cut--;
	return (size_t)((cut > text ? cut : end) - text);
}

void table_text(FILE *to, const char *text, size_t first, size_t indent, size_t width)
{
	size_t before = first;

	do {
		size_t bytes = width == TABLE_WIDTH_UNLIMITED ? strlen(text) : line_bytes(text, width - before);

		fprintf(to, "%*s%.*s\n", (int)before, "", (int)bytes, text);
		text += bytes;
		text += strspn(text, " ");
		before = indent;
	} while (*text);
}

void table_print(struct table *table, FILE *to, size_t width)
{
	size_t total = measure(table);

	assert(table->cell_count % table->column_count == 0);
	if (width != TABLE_WIDTH_UNLIMITED)
		fit(table, total, width);
	if (!table->titled)
		print_row(table, to, NULL);
	table->titled = true;
	for (size_t i = 0; i < table->cell_count; i += table->column_count)
		print_row(table, to, &table->cells[i]);
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	table->cell_count = 0;
	for (size_t i = 0; i < table->note_count; i++) {
		table_text(to, table->notes[i], 0, NOTE_INDENT, width);
		free(table->notes[i]);
	}
	table->note_count = 0;
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

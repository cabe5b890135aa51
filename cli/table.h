/*
 * table.h - aligned columns for people
 *
 * Cells are copied and cleaned: what came over the network may hold terminal escapes, and none gets through.  Where
 * the rows are wider than the terminal, the columns that may shrink do, widest first, with an ellipsis in the middle, since names
 * of one lab differ at their ends.  Sentences stand below the table in full: a cell would be too small.  Without memory
 * the process ends: nothing that needs unwinding is open while a table is made.
 *
 * libsmartcols was looked at: it cuts at an end only, leaves no column out, and so would be asked for little but padding.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 12U
#define TABLE_WIDTH_UNLIMITED 0U

struct table_column {
	const char *title;
	bool right;   /* numbers */
	bool shrinks; /* may be cut to no less than 8 columns of the screen */
	bool first; /* ... before those that are not: whose beginning is the same in many rows, such as a lab's name */
};

struct table;

/* @columns is borrowed, and outlives the table.  Return: NULL without memory, or with over TABLE_COLUMNS_MAX columns */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);

/**
 * table_add() - one cell, left to right, then on to the next row
 * @text:	copied; NULL and "" show as "-"
 */
void table_add(struct table *table, const char *text);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A sentence, below the rows that are printed next, wrapped at the screen's width */
void table_note(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Leave out the columns that are "-" in all rows of the first table_print(); not for a table that goes on growing */
void table_omit_empty(struct table *table);

/* Not printed yet */
size_t table_rows(const struct table *table);

/**
 * table_print() - the rows since the last call, which are then forgotten; the first call prints the titles
 * @width:	columns of the screen, or TABLE_WIDTH_UNLIMITED
 */
void table_print(struct table *table, FILE *to, size_t width);

/* @text on lines of at most @width columns of the screen, broken at spaces; the first is indented by @first, the others by @indent */
void table_text(FILE *to, const char *text, size_t first, size_t indent, size_t width);

/* Return: the terminal's width where @to is one (at least 80), TABLE_WIDTH_UNLIMITED for a pipe or a file */
size_t table_screen_width(FILE *to);

/* Replaces what a terminal could take for a command, in place: control bytes, and invalid UTF-8 */
void table_clean(char *text);

#define HUMAN_BYTES_TEXT 16U

/* "0", "999", "1.5K", "12M", "3.4G": powers of 1024 */
void table_human_bytes(unsigned long long bytes, char out[HUMAN_BYTES_TEXT]);

#endif /* CLI_TABLE_H */

/*
 * suggest.h - did you mean ...?
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/**
 * suggest() - the word that was most likely meant
 * @typed:	what stood there; words over 63 bytes get no suggestion
 * @words:	the @count words that would be right
 *
 * Distance is optimal string alignment (Damerau 1964: a letter more, less, other, or two swapped), without case;
 * a third of the word may be wrong.
 *
 * Return: one of @words, or NULL where none is near
 */
const char *suggest(const char *typed, const char *const *words, size_t count);

#endif /* BASE_SUGGEST_H */

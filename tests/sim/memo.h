/*
 * memo.h - what was verified once is remembered, where a scenario asks for it
 *
 * In one flat network of 1,000 hosts each verifies 999 certificates: a million times the same thousand questions.  Between
 * memo_begin() and memo_end() identity_verify() and identity_tunnel_verify() (the linker's --wrap) are answered out of a table
 * when they were asked before, word for word, and the time is between the first asking and the certificate's end.  What fails is
 * not remembered.  Everywhere else every agent verifies for itself.
 */
#ifndef TESTS_SIM_MEMO_H
#define TESTS_SIM_MEMO_H

void memo_begin(void);
void memo_end(void);

#endif /* TESTS_SIM_MEMO_H */

/*
 * secret.h - wiping of secret bytes; random.h draws them
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

/* Overwrite in a way that the compiler may not drop */
void secret_wipe(void *bytes, size_t len_bytes);

#endif /* BASE_SECRET_H */

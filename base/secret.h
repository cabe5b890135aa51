/*
 * secret.h - wiping and drawing of secret bytes
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

/* Overwrite in a way that the compiler may not drop */
void secret_wipe(void *bytes, size_t len_bytes);

/* Fill from the kernel's generator; ends the process where there is none, since nothing safe can follow */
void random_fill(void *bytes, size_t len_bytes);

uint32_t random_u32(void);

#endif /* BASE_SECRET_H */

/*
 * version.h - what the programs say they are
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define WEFT_VERSION "0.1.0"

#endif /* BASE_VERSION_H */

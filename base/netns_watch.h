/*
 * netns_watch.h - hears of network namespaces that get a name, or lose it
 *
 * By inotify on ip-netns(8)'s folder, and on the one above while there is none.  Threads: the caller's.
 */
#ifndef BASE_NETNS_WATCH_H
#define BASE_NETNS_WATCH_H

#include <stdbool.h>

/* Return: a descriptor that becomes readable, the caller's; -1 where the kernel has none left */
int netns_watch_open(void);

/* Take what there is to be read.  Return: whether a name has come or gone */
bool netns_watch_read(int watch);

#endif /* BASE_NETNS_WATCH_H */

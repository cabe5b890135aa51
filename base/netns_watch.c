/*
 * netns_watch.c - see netns_watch.h
 */
#include "base/netns_watch.h"

#include "base/netns.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define ABOVE "/run"
#define BELOW "netns" /* in it: NETNS_FOLDER */

/* Return: whether the folder is there.  Watching it twice is watching it once */
static bool watch_folder(int watch)
{
	return inotify_add_watch(watch, NETNS_FOLDER, IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_ONLYDIR) >= 0;
}

int netns_watch_open(void)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (watch >= 0 && !watch_folder(watch))
		(void)inotify_add_watch(watch, ABOVE, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	return watch;
}

/* Both folders' names are looked at alike: something called "netns" is either the folder, or a namespace */
static bool take(int watch, const struct inotify_event *event)
{
	if (!(event->mask & IN_ISDIR))
		return true;
	return strcmp(event->name, BELOW) == 0 && watch_folder(watch);
}

bool netns_watch_read(int watch)
{
	_Alignas(struct inotify_event) char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
	bool news = false;
	ssize_t got;

	while ((got = read(watch, bytes, sizeof(bytes))) > 0) {
		const struct inotify_event *event;

		for (char *at = bytes; at < bytes + got; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			news |= event->len && take(watch, event);
		}
	}
	return news;
}

/*
 * mailbox.c - see mailbox.h
 */
#include "overlay/datapath/mailbox.h"

#include <unistd.h>

bool mailbox_post(struct mailbox *box, int wake_fd, const struct mail *mail)
{
	const uint64_t one = 1;

	return mailbox_put(box, mail) && write(wake_fd, &one, sizeof(one)) == sizeof(one);
}

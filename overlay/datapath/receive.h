/*
 * receive.h - datagrams out of the UDP socket: opened, checked, and their records handed on
 */
#ifndef OVERLAY_DATAPATH_RECEIVE_H
#define OVERLAY_DATAPATH_RECEIVE_H

#include "overlay/datapath/worker.h"

/* The UDP socket can be read */
void receive_ready(evutil_socket_t fd, short what, void *worker);

#endif /* OVERLAY_DATAPATH_RECEIVE_H */

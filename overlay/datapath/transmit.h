/*
 * transmit.h - frames out of a port: what becomes of each
 */
#ifndef OVERLAY_DATAPATH_TRANSMIT_H
#define OVERLAY_DATAPATH_TRANSMIT_H

#include "overlay/datapath/worker.h"

/* A port's queue can be read */
void transmit_ready(evutil_socket_t fd, short what, void *worker_port);

#endif /* OVERLAY_DATAPATH_TRANSMIT_H */

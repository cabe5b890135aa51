/*
 * load_rtt.c - round trips, one question of 64 bytes at a time
 *
 * The other end answers in a thread of its own with what it got.  An answer that is not there after WAIT_MS is lost;
 * should it come later, its number says that it is none of the next question's.
 */
#include "tests/bench/load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define QUESTION_BYTES 64U
#define WAIT_MS 200U
#define SAMPLES_MAX 200000U

struct echo {
	int fd;
	bool stop; /* atomic */
};

static void *echo_run(void *arg)
{
	struct echo *echo = arg;
	uint8_t bytes[QUESTION_BYTES];
	struct sockaddr_in from;

	while (!__atomic_load_n(&echo->stop, __ATOMIC_RELAXED)) {
		socklen_t from_bytes = sizeof(from);
		ssize_t got = recvfrom(echo->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_bytes);

		if (got > 0)
			(void)!sendto(echo->fd, bytes, (size_t)got, 0, (struct sockaddr *)&from, from_bytes);
	}
	return NULL;
}

/* Return: nanoseconds until the answer came, 0 where none did */
static uint64_t ask(int fd, uint32_t number)
{
	uint8_t bytes[QUESTION_BYTES] = { 0 };
	uint64_t start = load_now_ns();
	uint32_t answered;

	memcpy(bytes, &number, sizeof(number));
	if (send(fd, bytes, sizeof(bytes), 0) < 0)
		return 0;
	do {
		if (recv(fd, bytes, sizeof(bytes), 0) < (ssize_t)sizeof(answered))
			return 0;
		memcpy(&answered, bytes, sizeof(answered));
	} while (answered != number);
	return load_now_ns() - start;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print(uint64_t *ns, uint32_t count, uint32_t asked)
{
	double sum = 0;

	qsort(ns, count, sizeof(*ns), ascending);
	for (uint32_t i = 0; i < count; i++)
		sum += (double)ns[i];
	printf("{\"asked\": %u, \"lost\": %u, \"min_us\": %.1f, \"mean_us\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
	       "\"max_us\": %.1f}\n",
		asked, asked - count, (double)ns[0] / 1e3, sum / count / 1e3, (double)ns[count / 2] / 1e3,
		(double)ns[count - 1 - count / 100] / 1e3, (double)ns[count - 1] / 1e3);
}

int load_rtt(const struct load *load)
{
	const struct timeval wait = { .tv_usec = WAIT_MS * 1000L };
	uint64_t *samples = malloc(SAMPLES_MAX * sizeof(*samples));
	uint64_t end = load_now_ns() + load->trial_ms * 1000000ULL, took;
	struct echo echo = { .fd = load->to };
	uint32_t asked = 0, count = 0;
	pthread_t thread;

	if (!samples || setsockopt(load->to, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
		setsockopt(load->from, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
		pthread_create(&thread, NULL, echo_run, &echo) != 0) {
		perror("weft-load");
		free(samples);
		return 1;
	}
	while (load_now_ns() < end && asked < SAMPLES_MAX) {
		const struct timespec pause = { .tv_nsec = load->interval_us * 1000L };

		asked++;
		took = ask(load->from, asked);
		if (took)
			samples[count++] = took;
		nanosleep(&pause, NULL);
	}
	__atomic_store_n(&echo.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	if (count)
		print(samples, count, asked);
	free(samples);
	return count ? 0 : 1;
}

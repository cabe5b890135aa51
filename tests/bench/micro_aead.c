/*
 * micro_aead.c - sealing and opening, for each backend, cipher and size of datagram
 */
#include "base/random.h"
#include "crypto/aead.h"
#include "crypto/aead_registry.h"
#include "tests/bench/micro.h"

#include <stdint.h>
#include <stdio.h>

#define TURN 16U

struct sealing {
	struct aead *aead;
	uint32_t counter;
	size_t bytes;
	uint8_t ad[AEAD_AD_BYTES];
	uint8_t plain[AEAD_DATA_MAX_BYTES];
	uint8_t sealed[AEAD_DATA_MAX_BYTES + AEAD_TAG_BYTES];
};

static void seal(void *ctx)
{
	struct sealing *s = ctx;

	for (unsigned int i = 0; i < TURN; i++)
		micro_must(aead_seal(s->aead, s->counter++, s->ad, s->plain, s->bytes, s->sealed), "to seal");
}

static void open_sealed(void *ctx)
{
	struct sealing *s = ctx;

	for (unsigned int i = 0; i < TURN; i++)
		micro_must(aead_open(s->aead, s->counter, s->ad, s->sealed, s->bytes + AEAD_TAG_BYTES, s->plain),
			"to open");
}

static void measure(struct micro *micro, struct sealing *s, const struct aead_backend *backend, enum aead_cipher cipher,
	size_t bytes)
{
	struct aead_key key;
	struct aead_iv iv;
	char name[64];

	random_fill(&key, sizeof(key));
	random_fill(&iv, sizeof(iv));
	random_fill(s->plain, bytes);
	s->bytes = bytes;
	s->aead = aead_new(backend, cipher, &key, &iv);
	micro_must(s->aead, "aead_new");
	snprintf(name, sizeof(name), "%s %s seal %zu", aead_backend_name(backend), aead_cipher_name(cipher), bytes);
	micro_case(micro, name, TURN, bytes, seal, s);
	micro_must(aead_seal(s->aead, s->counter, s->ad, s->plain, bytes, s->sealed), "to seal");
	snprintf(name, sizeof(name), "%s %s open %zu", aead_backend_name(backend), aead_cipher_name(cipher), bytes);
	micro_case(micro, name, TURN, bytes, open_sealed, s);
	aead_free(s->aead);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 64, 256, 1440, 8940 };
	static struct sealing sealing;
	struct micro micro;

	micro_begin(&micro, "AEAD", argc, argv);
	for (unsigned int cipher = AEAD_AES_256_GCM; aead_cipher_known(cipher); cipher++) {
		for (size_t row = 0; row < aead_registry_rows(); row++) {
			const struct aead_backend *backend = aead_registry_at(row);

			for (size_t i = 0; backend && i < sizeof(sizes) / sizeof(sizes[0]); i++)
				if (aead_backend_has(backend, (enum aead_cipher)cipher))
					measure(&micro, &sealing, backend, (enum aead_cipher)cipher, sizes[i]);
		}
	}
	return micro_end(&micro);
}

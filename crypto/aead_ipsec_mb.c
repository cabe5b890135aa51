/*
 * aead_ipsec_mb.c - the AEAD backend on Intel's ipsec-mb: VAES and AVX-512 where the CPU has them
 *
 * The library's direct API, one call a datagram and no job queue: AES-GCM is synchronous anyway, and a call
 * keeps the packet in cache.  The direct functions need no manager once their addresses are known, so a
 * manager lives only as long as it takes to ask for them.
 *
 * The library's init, update and finalize could seal a header and a payload that lie apart; measured, that
 * is slower than copying the payload behind the header first (HANDSHAKE.md, section 7).
 */
#include "crypto/aead_backend.h"
#include "crypto/aead_registry.h"

#ifdef HAVE_IPSEC_MB

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include "base/secret.h"

struct direct_gcm {
	aes_gcm_pre_t prepare;
	aes_gcm_enc_dec_t encrypt;
	aes_gcm_enc_dec_t decrypt;
};

struct direct_chacha {
	chacha_poly_init_t init;
	chacha_poly_enc_dec_update_t encrypt;
	chacha_poly_enc_dec_update_t decrypt;
	chacha_poly_finalize_t finish;
};

/* Written once, by direct_load(), before anyone reads it */
static struct {
	bool usable;
	struct direct_gcm gcm128;
	struct direct_gcm gcm256;
	struct direct_chacha chacha;
} direct;

struct gcm_aead {
	struct aead aead; /* first */
	struct direct_gcm call;
	struct gcm_context_data work;         /* the library's scratch, overwritten by each call */
	_Alignas(64) struct gcm_key_data key; /* the library's header aligns it only under -DLINUX */
};

struct chacha_aead {
	struct aead aead; /* first */
	uint8_t key[32];
	_Alignas(64) struct chacha20_poly1305_context_data work;
};

static void direct_load(void)
{
	IMB_MGR *manager = alloc_mb_mgr(0);
	IMB_ARCH arch = IMB_ARCH_NONE;

	if (!manager)
		return;
	init_mb_mgr_auto(manager, &arch);
	/* without AES-NI the library has only an emulation, which is far slower than OpenSSL */
	if (imb_get_errno(manager) == 0 && arch != IMB_ARCH_NONE && arch != IMB_ARCH_NOAESNI) {
		direct.gcm128 = (struct direct_gcm){ manager->gcm128_pre, manager->gcm128_enc, manager->gcm128_dec };
		direct.gcm256 = (struct direct_gcm){ manager->gcm256_pre, manager->gcm256_enc, manager->gcm256_dec };
		direct.chacha =
			(struct direct_chacha){ manager->chacha20_poly1305_init, manager->chacha20_poly1305_enc_update,
				manager->chacha20_poly1305_dec_update, manager->chacha20_poly1305_finalize };
		direct.usable = true;
	}
	free_mb_mgr(manager);
}

static bool gcm_seal(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad, const uint8_t *plain,
	size_t len_bytes, uint8_t *out)
{
	struct gcm_aead *self = (struct gcm_aead *)aead;

	self->call.encrypt(&self->key, &self->work, out, plain, len_bytes, nonce, ad, AEAD_AD_BYTES, out + len_bytes,
		AEAD_TAG_BYTES);
	return true;
}

static bool gcm_open(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad, const uint8_t *sealed,
	size_t plain_bytes, uint8_t *out)
{
	struct gcm_aead *self = (struct gcm_aead *)aead;
	uint8_t tag[AEAD_TAG_BYTES];

	self->call.decrypt(&self->key, &self->work, out, sealed, plain_bytes, nonce, ad, AEAD_AD_BYTES, tag,
		AEAD_TAG_BYTES);
	return CRYPTO_memcmp(tag, sealed + plain_bytes, AEAD_TAG_BYTES) == 0;
}

static void gcm_free(struct aead *aead)
{
	secret_wipe(aead, sizeof(struct gcm_aead));
	free(aead);
}

static struct aead *gcm_create(const struct direct_gcm *call, const struct aead_key *key)
{
	struct gcm_aead *self = aligned_alloc(_Alignof(struct gcm_aead), sizeof(*self));

	if (!self)
		return NULL;
	memset(self, 0, sizeof(*self));
	self->aead = (struct aead){ .seal = gcm_seal, .open = gcm_open, .free = gcm_free };
	self->call = *call;
	call->prepare(key->bytes, &self->key);
	return &self->aead;
}

static bool chacha_seal(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad, const uint8_t *plain,
	size_t len_bytes, uint8_t *out)
{
	struct chacha_aead *self = (struct chacha_aead *)aead;

	direct.chacha.init(self->key, &self->work, nonce, ad, AEAD_AD_BYTES);
	direct.chacha.encrypt(self->key, &self->work, out, plain, len_bytes);
	direct.chacha.finish(&self->work, out + len_bytes, AEAD_TAG_BYTES);
	return true;
}

static bool chacha_open(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad, const uint8_t *sealed,
	size_t plain_bytes, uint8_t *out)
{
	struct chacha_aead *self = (struct chacha_aead *)aead;
	uint8_t tag[AEAD_TAG_BYTES];

	direct.chacha.init(self->key, &self->work, nonce, ad, AEAD_AD_BYTES);
	direct.chacha.decrypt(self->key, &self->work, out, sealed, plain_bytes);
	direct.chacha.finish(&self->work, tag, AEAD_TAG_BYTES);
	return CRYPTO_memcmp(tag, sealed + plain_bytes, AEAD_TAG_BYTES) == 0;
}

static void chacha_free(struct aead *aead)
{
	secret_wipe(aead, sizeof(struct chacha_aead));
	free(aead);
}

static struct aead *chacha_create(const struct aead_key *key)
{
	struct chacha_aead *self = aligned_alloc(_Alignof(struct chacha_aead), sizeof(*self));

	if (!self)
		return NULL;
	memset(self, 0, sizeof(*self));
	self->aead = (struct aead){ .seal = chacha_seal, .open = chacha_open, .free = chacha_free };
	memcpy(self->key, key->bytes, sizeof(self->key));
	return &self->aead;
}

static bool ipsec_mb_has(enum aead_cipher cipher)
{
	return aead_cipher_known(cipher);
}

static struct aead *ipsec_mb_create(enum aead_cipher cipher, const struct aead_key *key)
{
	switch (cipher) {
	case AEAD_AES_256_GCM:
		return gcm_create(&direct.gcm256, key);
	case AEAD_AES_128_GCM:
		return gcm_create(&direct.gcm128, key);
	case AEAD_CHACHA20_POLY1305:
		return chacha_create(key);
	}
	return NULL;
}

const struct aead_backend *aead_backend_ipsec_mb(void)
{
	static const struct aead_backend backend = {
		.name = "ipsec-mb",
		.has = ipsec_mb_has,
		.create = ipsec_mb_create,
	};
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, direct_load);
	return direct.usable ? &backend : NULL;
}

#else

const struct aead_backend *aead_backend_ipsec_mb(void)
{
	return NULL;
}

#endif

/*
 * test_aead.c - every backend against published vectors, tampering, wrong lengths, and the other backend
 */
#include "crypto/aead.h"
#include "crypto/aead_registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/random.h"
#include "tests/unit/crypto/hex.h"

struct vector {
	const char *source;
	enum aead_cipher cipher;
	const char *key;
	const char *nonce; /* IV and counter together */
	const char *ad;
	const char *plain;
	const char *sealed;
};

#define MCGREW "draft-mcgrew-gcm-test-01, section 4"

static const struct vector vectors[] = {
	{ MCGREW, AEAD_AES_128_GCM, "4c80cdefbb5d10da906ac73c3613a634", "2e443b684956ed7e3b244cfe",
		"000043218765432100000000",
		"45000048699a000080114db7c0a80102c0a801010a9bf15638d30100000100000000000004"
		"5f736970045f756470037369700963796265726369747902646b000021000101020201",
		"fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14"
		"a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd97324590"
		"18148f6cbe722fd04796562dfdb4" },
	{ MCGREW, AEAD_AES_128_GCM, "3de09874b388e6491988d0c3607eae1f", "57690e434e280000a2fca1a3",
		"42f67e3f1010101010101010",
		"4500003c99c300008001cb7c40679318010101010800085c02004300616263646566676869"
		"6a6b6c6d6e6f707172737475767761626364656667686901020201",
		"fba2caa4853cf9f0f22cb10d86dd83b0fec75691cf1a04b00d1138ec9c35791765acbd8701"
		"ad79845bf9fe3fba487bc91755e6662b4c8d0d1f5e22739530320ae0d731cc978ecafaeae8"
		"8f00e80d6e48" },
	{ MCGREW, AEAD_AES_128_GCM, "3de09874b388e6491988d0c3607eae1f", "57690e434e280000a2fca1a3",
		"42f67e3f1010101010101010", "4500001c42a200008001441f406793b6e00000020a00f5ff01020201",
		"fba2ca845e5df9f0f22c3e6e86dd831e1fc65792cd1af9130e1379ed369f071f35e034be95"
		"f112e4e7d05d35" },
	{ MCGREW, AEAD_AES_128_GCM, "3de09874b388e6491988d0c3607eae1f", "57690e434e280000a2fca1a3",
		"42f67e3f1010101010101010",
		"45000049333e00007f119182c3fb1d10c2b1d326c02831ce0035cb458003025b000001e000"
		"1e8c18d65759d52284a0352c71475c8880391c764d6e5ee0496b325ae270c0389949391501"
		"0101",
		"fba2cad12fc1f9f00d3cebf305410db83d7784b607323d220f24b0a97d54182800cadb0f68"
		"d99ef0e0c0c89ae9bea8884e52d65bc1afd0740f742444747b5b39ab533163aad4550ee516"
		"0975cdb608c5769189609763b8e18caa81e2" },
	{ MCGREW, AEAD_AES_128_GCM, "abbccddef00112233445566778899aab", "decaf888cafedebaceface74",
		"000001000000000000000001",
		"4500004933ba00007f119106c3fb1d10c2b1d326c02831ce0035dd7b800302d500004e2000"
		"1e8c18d75b81dc91baa0476b91b924b280389d92c963bac046ec959b6266c04722b1492301"
		"0101",
		"18a6fd42f72cbf4ab2a2ea901f73d814e3e7f243d95412e1c349c1d2fbec168f9190feebaf"
		"2cb01984e65863965d7472b79da345e0e780191f0d2f0e0f496c226f2127b27db35724e784"
		"5d68651f57e65f354f75ff17015769623436" },
	{ MCGREW, AEAD_AES_128_GCM, "abbccddef00112233445566778899aab", "decaf888cafedebaceface74",
		"000001000000000000000001", "746f016265016f72016e6f7401746f0162650001",
		"29c9fc69a197d038ccdd14e2ddfcaa0543332164412503524303ed3c6c5f283843af8c3e" },
	{ MCGREW, AEAD_AES_256_GCM, "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
		"73616c74616e640169766563", "17405e67156f3126dd0db99b",
		"45080028732c00004006e9f90a0106120a01038f06b88023dd6bafbecb71260250101f646d"
		"540001",
		"f2d69ecdbd5a0d5b8d5ef38bad4da58d1f278fde98ef67549d524a3018d9a57ff4d3a31ce6"
		"73119e451626c2415771e3b7eebca614c89b35" },
	{ MCGREW, AEAD_AES_256_GCM, "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
		"73616c74616e640169766563", "17405e67156f3126dd0db99b",
		"636973636f0172756c657301746865016e6574776501646566696e6501746865746563686e"
		"6f6c6f6769657301746861747769"
		"6c6c01646566696e65746f6d6f72726f7701020201",
		"d4b7ed86a1777f2ea13d6973d324c69e7b43f826fb56831226508bebd2dceb18d0a6df10e5"
		"487df074113e14c641024e3e6773d91a62ee429b043a10e3efe6b012a49363412364f8c0ca"
		"c587f249e56b11e24f30e44ccc76" },
	{ MCGREW, AEAD_AES_256_GCM, "6c6567616c697a656d6172696a75616e61616e64646f69746265666f72656961",
		"7475726e333021696765746d", "796b6963ffffffffffffffff",
		"45000030da3a00008001df3bc0a80005c0a800010800c6cd02000700616263646566676869"
		"6a6b6c6d6e6f7071727374"
		"01020201",
		"f97ab2aa356d8edce17644ac8c78e25dd24dedbb29ebf1b64a274b39b49c3a864cd3d78ca4"
		"ae68a32b42458fb57dbe821dcc63b9d0937ba2945f669368661a329fb4c053" },
	{ "RFC 8439, section 2.8.2", AEAD_CHACHA20_POLY1305,
		"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
		"50515253c0c1c2c3c4c5c6c7",
		"4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f6620"
		"2739393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e65207469"
		"7020666f7220746865206675747572652c2073756e73637265656e20776f756c6420626520"
		"69742e",
		"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8c"
		"a9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803"
		"aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec6"
		"4b61161ae10b594f09e26a7e902ecbd0600691" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const enum aead_cipher ciphers[] = { AEAD_AES_256_GCM, AEAD_AES_128_GCM, AEAD_CHACHA20_POLY1305 };

/* Return: the backends of this machine */
static size_t backends(const struct aead_backend *out[2])
{
	size_t n = 0;

	for (size_t row = 0; row < aead_registry_rows(); row++)
		if (aead_registry_at(row))
			out[n++] = aead_registry_at(row);
	return n;
}

static struct aead *random_lane(const struct aead_backend *backend, enum aead_cipher cipher, uint64_t seed)
{
	struct aead_key key;
	struct aead_iv iv;
	struct aead *aead;

	srandom((unsigned)seed);
	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (uint8_t)random();
	for (size_t i = 0; i < sizeof(iv.bytes); i++)
		iv.bytes[i] = (uint8_t)random();
	aead = aead_new(backend, cipher, &key, &iv);
	assert_non_null(aead);
	return aead;
}

/* The IV that makes @counter's nonce the published one */
static struct aead_iv iv_for(const uint8_t nonce[AEAD_IV_BYTES], uint32_t counter)
{
	struct aead_iv iv;

	memcpy(iv.bytes, nonce, sizeof(iv.bytes));
	for (size_t i = 0; i < 4; i++)
		iv.bytes[8 + i] ^= (uint8_t)(counter >> (24 - 8 * i));
	return iv;
}

static void vector_holds(const struct aead_backend *backend, const struct vector *v, uint32_t counter)
{
	struct aead_key key = { { 0 } };
	uint8_t nonce[AEAD_IV_BYTES];
	uint8_t ad[AEAD_AD_BYTES];
	uint8_t plain[256];
	uint8_t sealed[256];
	uint8_t out[256];
	size_t plain_bytes = hex_decode(v->plain, plain, sizeof(plain));
	size_t sealed_bytes = hex_decode(v->sealed, sealed, sizeof(sealed));
	struct aead_iv iv;
	struct aead *aead;

	assert_int_equal(hex_decode(v->key, key.bytes, sizeof(key.bytes)), aead_key_bytes(v->cipher));
	assert_int_equal(hex_decode(v->nonce, nonce, sizeof(nonce)), sizeof(nonce));
	assert_int_equal(hex_decode(v->ad, ad, sizeof(ad)), sizeof(ad));
	assert_int_equal(sealed_bytes, plain_bytes + AEAD_TAG_BYTES);
	iv = iv_for(nonce, counter);
	aead = aead_new(backend, v->cipher, &key, &iv);
	assert_non_null(aead);
	assert_true(aead_seal(aead, counter, ad, plain, plain_bytes, out));
	assert_memory_equal(out, sealed, sealed_bytes);
	assert_true(aead_open(aead, counter, ad, sealed, sealed_bytes, out));
	assert_memory_equal(out, plain, plain_bytes);
	memcpy(out, plain, plain_bytes);
	assert_true(aead_seal(aead, counter, ad, out, plain_bytes, out));
	assert_memory_equal(out, sealed, sealed_bytes);
	assert_true(aead_open(aead, counter, ad, out, sealed_bytes, out));
	assert_memory_equal(out, plain, plain_bytes);
	aead_free(aead);
}

static void published_vectors(void **state)
{
	static const uint32_t counters[] = { 0, 1, 0x01020304, 0xffffffff };
	const struct aead_backend *all[2];
	size_t n = backends(all);

	(void)state;
	for (size_t b = 0; b < n; b++)
		for (size_t v = 0; v < COUNT(vectors); v++)
			for (size_t c = 0; c < COUNT(counters); c++)
				vector_holds(all[b], &vectors[v], counters[c]);
}

/* Backends are proven on this machine only if they are there: amd64 with libipsec-mb-dev has both */
static void both_backends_where_built(void **state)
{
	const struct aead_backend *all[2];

	(void)state;
#ifdef HAVE_IPSEC_MB
	if (__builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul"))
		assert_int_equal(backends(all), 2);
#else
	assert_int_equal(backends(all), 1);
#endif
	assert_string_equal(aead_backend_name(aead_backend_openssl()), "openssl");
}

static void every_byte_flipped(void **state)
{
	const struct aead_backend *all[2];
	size_t n = backends(all);
	static const uint8_t zeros[128];
	uint8_t ad[AEAD_AD_BYTES] = { 1, 2, 3 };
	uint8_t plain[100];
	uint8_t sealed[sizeof(plain) + AEAD_TAG_BYTES];
	uint8_t out[sizeof(sealed)];

	(void)state;
	random_fill(plain, sizeof(plain));
	for (size_t b = 0; b < n; b++) {
		for (size_t c = 0; c < COUNT(ciphers); c++) {
			struct aead *aead = random_lane(all[b], ciphers[c], 1);

			assert_true(aead_seal(aead, 7, ad, plain, sizeof(plain), sealed));
			for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
				sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
				memset(out, 0xee, sizeof(out));
				assert_false(aead_open(aead, 7, ad, sealed, sizeof(sealed), out));
				assert_memory_equal(out, zeros, sizeof(plain)); /* nothing is released */
				memcpy(out, sealed, sizeof(sealed));
				assert_false(aead_open(aead, 7, ad, out, sizeof(sealed), out));
				assert_memory_equal(out, zeros, sizeof(plain));
				sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
			for (size_t bit = 0; bit < 8 * sizeof(ad); bit++) {
				ad[bit / 8] ^= (uint8_t)(1 << bit % 8);
				assert_false(aead_open(aead, 7, ad, sealed, sizeof(sealed), out));
				ad[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
			for (uint32_t bit = 0; bit < 32; bit++)
				assert_false(aead_open(aead, 7U ^ 1U << bit, ad, sealed, sizeof(sealed), out));
			assert_true(aead_open(aead, 7, ad, sealed, sizeof(sealed), out));
			assert_memory_equal(out, plain, sizeof(plain));
			aead_free(aead);
		}
	}
}

static void every_truncated_length(void **state)
{
	const struct aead_backend *all[2];
	size_t n = backends(all);
	const uint8_t ad[AEAD_AD_BYTES] = { 0 };
	uint8_t plain[100] = { 5 };
	uint8_t sealed[sizeof(plain) + AEAD_TAG_BYTES];

	(void)state;
	for (size_t b = 0; b < n; b++) {
		for (size_t c = 0; c < COUNT(ciphers); c++) {
			struct aead *aead = random_lane(all[b], ciphers[c], 2);

			assert_true(aead_seal(aead, 7, ad, plain, sizeof(plain), sealed));
			for (size_t len = 0; len < sizeof(sealed); len++) {
				uint8_t *cut = malloc(len + 1); /* of its exact size, for the address sanitizer */
				uint8_t *out = malloc(len + 1);

				assert_true(cut && out);
				memcpy(cut, sealed, len);
				assert_false(aead_open(aead, 7, ad, cut, len, out));
				free(cut);
				free(out);
			}
			assert_false(aead_open(aead, 7, ad, sealed, AEAD_DATA_MAX_BYTES + AEAD_TAG_BYTES + 1, sealed));
			assert_false(aead_open(aead, 7, ad, sealed, SIZE_MAX, sealed));
			assert_false(aead_seal(aead, 7, ad, plain, AEAD_DATA_MAX_BYTES + 1, sealed));
			assert_false(aead_seal(aead, 7, ad, plain, SIZE_MAX, sealed));
			aead_free(aead);
		}
	}
}

/* A page that ends where no byte may be touched: what the sanitizers cannot see in a library's assembly */
struct fence {
	uint8_t *pages;
	size_t bytes;
};

static struct fence fence_new(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct fence fence = { .bytes = (bytes + page - 1) / page * page };

	fence.pages = mmap(NULL, fence.bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(fence.pages != MAP_FAILED);
	assert_int_equal(mprotect(fence.pages + fence.bytes, page, PROT_NONE), 0);
	return fence;
}

static void fence_free(struct fence fence)
{
	munmap(fence.pages, fence.bytes + (size_t)sysconf(_SC_PAGESIZE));
}

static uint8_t *before(struct fence fence, size_t bytes)
{
	return fence.pages + fence.bytes - bytes;
}

/* The same key under both: what one seals the other opens, byte for byte, at every length and any alignment */
static void agree(struct aead *left, struct aead *right, uint32_t counter, size_t len, struct fence plain_fence,
	struct fence sealed_fence, struct fence out_fence)
{
	uint8_t *plain = before(plain_fence, len);
	uint8_t *sealed = before(sealed_fence, len + AEAD_TAG_BYTES);
	uint8_t *out = before(out_fence, len + AEAD_TAG_BYTES);
	uint8_t *opened = before(out_fence, len);
	uint8_t ad[AEAD_AD_BYTES];

	random_fill(plain, len);
	random_fill(ad, sizeof(ad));
	assert_true(aead_seal(left, counter, ad, plain, len, sealed));
	assert_true(aead_seal(right, counter, ad, plain, len, out));
	assert_memory_equal(sealed, out, len + AEAD_TAG_BYTES);
	assert_true(aead_open(right, counter, ad, sealed, len + AEAD_TAG_BYTES, opened));
	assert_memory_equal(opened, plain, len);
	assert_true(aead_open(left, counter, ad, sealed, len + AEAD_TAG_BYTES, opened));
	assert_memory_equal(opened, plain, len);
	memcpy(out, plain, len);
	assert_true(aead_seal(right, counter, ad, out, len, out));
	assert_memory_equal(sealed, out, len + AEAD_TAG_BYTES);
	assert_true(aead_open(left, counter, ad, out, len + AEAD_TAG_BYTES, out));
	assert_memory_equal(out, plain, len);
	sealed[random_u32() % (len + AEAD_TAG_BYTES)] ^= 1;
	assert_false(aead_open(left, counter, ad, sealed, len + AEAD_TAG_BYTES, opened));
	assert_false(aead_open(right, counter, ad, sealed, len + AEAD_TAG_BYTES, opened));
}

static void backends_agree(void **state)
{
	const struct aead_backend *all[2];
	const struct aead_backend *other;
	struct fence plain = fence_new(AEAD_DATA_MAX_BYTES);
	struct fence sealed = fence_new(AEAD_DATA_MAX_BYTES + AEAD_TAG_BYTES);
	struct fence out = fence_new(AEAD_DATA_MAX_BYTES + AEAD_TAG_BYTES);

	(void)state;
	other = all[backends(all) - 1]; /* OpenSSL against itself where it is alone */
	for (size_t c = 0; c < COUNT(ciphers); c++) {
		struct aead *left = random_lane(all[0], ciphers[c], 3);
		struct aead *right = random_lane(other, ciphers[c], 3);

		for (size_t len = 0; len <= 2100; len++)
			agree(left, right, (uint32_t)len, len, plain, sealed, out);
		for (int i = 0; i < 200; i++)
			agree(left, right, random_u32(), random_u32() % (AEAD_DATA_MAX_BYTES + 1), plain, sealed, out);
		agree(left, right, 1, AEAD_DATA_MAX_BYTES, plain, sealed, out);
		aead_free(left);
		aead_free(right);
	}
	fence_free(plain);
	fence_free(sealed);
	fence_free(out);
}

static void lanes_do_not_mix(void **state)
{
	const struct aead_backend *all[2];
	size_t n = backends(all);
	const uint8_t ad[AEAD_AD_BYTES] = { 0 };
	uint8_t plain[32] = { 1 };
	uint8_t sealed[sizeof(plain) + AEAD_TAG_BYTES];
	uint8_t out[sizeof(plain)];

	(void)state;
	for (size_t b = 0; b < n; b++) {
		for (size_t c = 0; c < COUNT(ciphers); c++) {
			struct aead *one = random_lane(all[b], ciphers[c], 4);
			struct aead *two = random_lane(all[b], ciphers[c], 5);

			assert_true(aead_seal(one, 7, ad, plain, sizeof(plain), sealed));
			assert_false(aead_open(two, 7, ad, sealed, sizeof(sealed), out));
			assert_true(aead_open(one, 7, ad, sealed, sizeof(sealed), out));
			aead_free(one);
			aead_free(two);
		}
	}
	aead_free(NULL);
}

/* A keepalive: no plaintext, and perhaps no buffer for it */
static void nothing_to_seal(void **state)
{
	const struct aead_backend *all[2];
	size_t n = backends(all);
	uint8_t ad[AEAD_AD_BYTES] = { 3 };
	uint8_t first[AEAD_TAG_BYTES];
	uint8_t sealed[AEAD_TAG_BYTES];

	(void)state;
	for (size_t c = 0; c < COUNT(ciphers); c++) {
		for (size_t b = 0; b < n; b++) {
			struct aead *aead = random_lane(all[b], ciphers[c], 6);

			assert_true(aead_seal(aead, 7, ad, NULL, 0, b ? sealed : first));
			if (b)
				assert_memory_equal(first, sealed, sizeof(sealed));
			assert_true(aead_open(aead, 7, ad, first, sizeof(first), NULL));
			ad[0] ^= 1;
			assert_false(aead_open(aead, 7, ad, first, sizeof(first), NULL));
			ad[0] ^= 1;
			aead_free(aead);
		}
	}
}

static void names(void **state)
{
	const struct aead_key key = { { 0 } };
	const struct aead_iv iv = { { 0 } };

	(void)state;
	assert_false(aead_cipher_known(0));
	assert_false(aead_cipher_known(4));
	assert_string_equal(aead_cipher_name(AEAD_AES_128_GCM), "aes-128-gcm");
	assert_string_equal(aead_cipher_name((enum aead_cipher)9), "unknown");
	assert_null(aead_new(aead_backend_openssl(), (enum aead_cipher)9, &key, &iv));
	for (size_t c = 0; c < COUNT(ciphers); c++)
		assert_true(aead_cipher_known(ciphers[c]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(both_backends_where_built),
		cmocka_unit_test(every_byte_flipped),
		cmocka_unit_test(every_truncated_length),
		cmocka_unit_test(backends_agree),
		cmocka_unit_test(lanes_do_not_mix),
		cmocka_unit_test(nothing_to_seal),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

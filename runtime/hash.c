/* hash.c — SHA-256 as text, by libnettle. */
#include "runtime/hash.h"
#include <nettle/sha2.h>

char *rt_sha256(const void *bytes, size_t n, char out[RT_SHA256_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	struct sha256_ctx state;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_init(&state);
	sha256_update(&state, n, bytes);
	sha256_digest(&state, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[2 * sizeof digest] = 0;
	return out;
}

/*
 * target.c - see target.h
 */
#include "client/target.h"

#include "base/secret.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define ADDRESSES_MAX 16U
#define BEARER_BYTES_MAX 512U
#define KEPT_S 50L /* the controller ends idle connections after 60 s */
#define KEEPALIVE_IDLE_S 10L
#define KEEPALIVE_INTERVAL_S 2L

/* ---- set-up ------------------------------------------------------------------------------------------------- */

static X509 *read_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return certificate;
}

/* libcurl would tell only when it connects */
static bool key_fits(const char *certificate_pem, const char *key_pem)
{
	BIO *bio = BIO_new_mem_buf(key_pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	X509 *certificate = read_certificate(certificate_pem);
	const bool fits = key && certificate && X509_check_private_key(certificate, key) == 1;

	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return fits;
}

static bool is_certificate(const char *pem)
{
	X509 *certificate = read_certificate(pem);

	X509_free(certificate);
	ERR_clear_error();
	return certificate != NULL;
}

static bool copy(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return !text || *out;
}

/* Consumes the list where it fails.  Return: NULL then */
static struct curl_slist *append(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (!longer)
		curl_slist_free_all(list);
	return longer;
}

static struct curl_slist *headers_with(const char *bearer)
{
	struct curl_slist *headers = append(NULL, "Content-Type: application/json");
	char line[BEARER_BYTES_MAX + 32];

	/* "Expect: 100-continue" would cost a round trip or a second */
	if (headers)
		headers = append(headers, "Expect:");
	if (headers && bearer) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s", bearer);
		headers = append(headers, line);
		secret_wipe(line, sizeof(line));
	}
	return headers;
}

/* Where it is.  Return: false with @error */
static bool place(struct target *target, const struct http_target *wanted, struct error *error)
{
	char address[SERVER_ADDRESS_TEXT_BYTES];
	struct sockaddr_un un;

	if (wanted->socket && strlen(wanted->socket) >= sizeof(un.sun_path)) {
		error_set(error, "%.300s: a socket's path may have %zu bytes at most; use a shorter --state",
			wanted->socket, sizeof(un.sun_path) - 1);
		return false;
	}
	if (wanted->socket) {
		snprintf(target->url, sizeof(target->url), "http://localhost");
		return true;
	}
	if (!server_address_parse(wanted->address, 443, &target->server)) {
		error_set(error, "\"%.300s\" is no address", wanted->address);
		return false;
	}
	server_address_format(&target->server, address);
	snprintf(target->url, sizeof(target->url), "https://%s", address);
	return true;
}

bool target_init(struct target *target, const struct http_target *wanted, struct error *error)
{
	memset(target, 0, sizeof(*target));
	if (!place(target, wanted, error))
		return false;
	if (wanted->ca_pem && !is_certificate(wanted->ca_pem)) {
		error_set(error, "the CA's certificate is none");
		return false;
	}
	if (wanted->certificate_pem && !key_fits(wanted->certificate_pem, wanted->key_pem)) {
		error_set(error, "the certificate and its private key do not go together");
		return false;
	}
	target->headers = headers_with(wanted->bearer);
	if (target->headers && copy(wanted->socket, &target->socket) && copy(wanted->ca_pem, &target->ca_pem) &&
		copy(wanted->certificate_pem, &target->certificate_pem) && copy(wanted->key_pem, &target->key_pem))
		return true;
	error_set(error, "out of memory");
	return false;
}

void target_fini(struct target *target)
{
	for (struct curl_slist *header = target->headers; header; header = header->next)
		secret_wipe(header->data, strlen(header->data));
	curl_slist_free_all(target->headers);
	if (target->key_pem)
		secret_wipe(target->key_pem, strlen(target->key_pem));
	free(target->key_pem);
	free(target->certificate_pem);
	free(target->ca_pem);
	free(target->socket);
	memset(target, 0, sizeof(*target));
}

/* ---- what libcurl is told ----------------------------------------------------------------------------------- */

static CURLcode set_blob(CURL *easy, CURLoption option, char *pem)
{
	struct curl_blob blob = { .data = pem, .flags = CURL_BLOB_NOCOPY };

	if (!pem)
		return CURLE_OK;
	blob.len = strlen(pem);
	return curl_easy_setopt(easy, option, &blob);
}

static CURLcode set_tls(const struct target *target, CURL *easy)
{
	CURLcode failed = CURLE_OK;

	failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	failed |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* Debian's libcurl also trusts /etc/ssl/certs unless told not to */
	failed |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	/* the CA is pinned and OpenSSL asks for a server's purpose, which no host's certificate has; names do not matter */
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, target->ca_pem ? 1L : 0L);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	failed |= set_blob(easy, CURLOPT_CAINFO_BLOB, target->ca_pem);
	failed |= set_blob(easy, CURLOPT_SSLCERT_BLOB, target->certificate_pem);
	failed |= set_blob(easy, CURLOPT_SSLKEY_BLOB, target->key_pem);
	return failed;
}

CURLcode target_apply(const struct target *target, CURL *easy)
{
	CURLcode failed = CURLE_OK;

	failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, target->headers);
	failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	failed |= curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	failed |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	failed |= curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, KEPT_S);
	if (!target->socket)
		return failed | set_tls(target, easy);
	failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	failed |= curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, target->socket);
	return failed;
}

char *target_addresses(const struct target *target, const struct addrinfo *found)
{
	char text[SERVER_ADDRESS_TEXT_BYTES + ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s:%u:", target->server.host, target->server.port);
	unsigned int count = 0;

	for (; found && count < ADDRESSES_MAX; found = found->ai_next) {
		const bool v6 = found->ai_family == AF_INET6;
		char address[INET6_ADDRSTRLEN];

		if ((!v6 && found->ai_family != AF_INET) ||
			getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0,
				NI_NUMERICHOST) != 0)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s", count ? "," : "", v6 ? "[" : "",
			address, v6 ? "]" : "");
		count++;
	}
	return count ? strdup(text) : NULL;
}

/* A null S3 server for benchmarks: it reads every body, answers its true MD5 as the ETag, and keeps nothing.
 *
 *   null_server [latency_ms] [jitter_ms] [none|normal|uniform] [seed]
 *
 * Prints its port on 127.0.0.1 and serves until its standard input is closed. A thread a connection; the latency of a
 * request is slept after its body was read (and before "100 Continue", which costs a client a round trip, too).
 * Answers PUT of an object, HEAD and GET of the bucket (an empty listing), 404 for HEAD and GET of any object, 204 for
 * DELETE. GET /-/stats is a JSON document of what was seen. Signatures are not looked at.
 */

enum { BUFFER_BYTES = 256 << 10 };
enum { PUTS, HEADS, GETS, DELETES, POSTS, OTHERS, VERBS };

static const char *const VERB[VERBS] = {"PUT", "HEAD", "GET", "DELETE", "POST", "OTHER"};

#include "serving.h"

/* ---- MD5 (RFC 1321) ---- */

typedef struct {
    uint32_t state[4];
    uint64_t length;
    unsigned char rest[64];
} md5;

static const uint32_t K[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8,
    0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87,
    0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039,
    0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
    0xeb86d391};

#define ROTATED(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
#define STEP(f, a, b, c, d, word, k, s) (a) += (f) + x[word] + K[k], (a) = ROTATED(a, s) + (b)
#define F(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define G(b, c, d) (((d) & (b)) + (~(d) & (c)))
#define H(b, c, d) ((b) ^ (c) ^ (d))
#define I(b, c, d) ((c) ^ ((b) | ~(d)))
#define FOUR(R, k, w0, w1, w2, w3, s0, s1, s2, s3)                                                                    \
    STEP(R(b, c, d), a, b, c, d, w0, k, s0);                                                                          \
    STEP(R(a, b, c), d, a, b, c, w1, k + 1, s1);                                                                      \
    STEP(R(d, a, b), c, d, a, b, w2, k + 2, s2);                                                                      \
    STEP(R(c, d, a), b, c, d, a, w3, k + 3, s3)

static void md5_blocks(md5 *sum, const unsigned char *at, size_t blocks) {
    uint32_t a = sum->state[0], b = sum->state[1], c = sum->state[2], d = sum->state[3], x[16];
    for (; blocks; blocks--, at += 64) {
        const uint32_t a0 = a, b0 = b, c0 = c, d0 = d;
        memcpy(x, at, 64); /* little-endian machines only; main() checks */
        FOUR(F, 0, 0, 1, 2, 3, 7, 12, 17, 22);
        FOUR(F, 4, 4, 5, 6, 7, 7, 12, 17, 22);
        FOUR(F, 8, 8, 9, 10, 11, 7, 12, 17, 22);
        FOUR(F, 12, 12, 13, 14, 15, 7, 12, 17, 22);
        FOUR(G, 16, 1, 6, 11, 0, 5, 9, 14, 20);
        FOUR(G, 20, 5, 10, 15, 4, 5, 9, 14, 20);
        FOUR(G, 24, 9, 14, 3, 8, 5, 9, 14, 20);
        FOUR(G, 28, 13, 2, 7, 12, 5, 9, 14, 20);
        FOUR(H, 32, 5, 8, 11, 14, 4, 11, 16, 23);
        FOUR(H, 36, 1, 4, 7, 10, 4, 11, 16, 23);
        FOUR(H, 40, 13, 0, 3, 6, 4, 11, 16, 23);
        FOUR(H, 44, 9, 12, 15, 2, 4, 11, 16, 23);
        FOUR(I, 48, 0, 7, 14, 5, 6, 10, 15, 21);
        FOUR(I, 52, 12, 3, 10, 1, 6, 10, 15, 21);
        FOUR(I, 56, 8, 15, 6, 13, 6, 10, 15, 21);
        FOUR(I, 60, 4, 11, 2, 9, 6, 10, 15, 21);
        a += a0, b += b0, c += c0, d += d0;
    }
    sum->state[0] = a, sum->state[1] = b, sum->state[2] = c, sum->state[3] = d;
}

static void md5_start(md5 *sum) {
    *sum = (md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

static void md5_add(md5 *sum, const unsigned char *at, size_t length) {
    const size_t held = sum->length % 64;
    sum->length += length;
    if (held) {
        const size_t taken = length < 64 - held ? length : 64 - held;
        memcpy(sum->rest + held, at, taken);
        if (held + taken < 64) return;
        md5_blocks(sum, sum->rest, 1);
        at += taken, length -= taken;
    }
    md5_blocks(sum, at, length / 64);
    memcpy(sum->rest, at + length / 64 * 64, length % 64);
}

static void md5_end(md5 *sum, unsigned char digest[16]) {
    const uint64_t bits = sum->length * 8;
    static const unsigned char padding[64] = {0x80};
    md5_add(sum, padding, 1 + (119 - sum->length % 64) % 64);
    md5_add(sum, (const unsigned char *)&bits, 8);
    memcpy(digest, sum->state, 16);
}

/* ---- HTTP ---- */

/* Reads the body, of which some is in the buffer after the head, and leaves in the buffer what follows it. */
static int read_body(connection *c, size_t head, uint64_t length, unsigned char digest[16]) {
    md5 sum;
    md5_start(&sum);
    const size_t here = c->held - head < length ? c->held - head : (size_t)length;
    md5_add(&sum, (unsigned char *)c->buffer + head, here);
    memmove(c->buffer, c->buffer + head + here, c->held - head - here);
    c->held -= head + here;
    for (uint64_t left = length - here; left;) {
        const ssize_t got = recv(c->socket, c->buffer, left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES, 0);
        if (got <= 0) return 0;
        md5_add(&sum, (unsigned char *)c->buffer, (size_t)got);
        left -= (uint64_t)got;
    }
    md5_end(&sum, digest);
    atomic_fetch_add(&bytes, length);
    return 1;
}

static int answer(int socket, const char *status, const char *fields, const char *type, const char *body, int bodiless) {
    char text[4096];
    const int length = snprintf(text, sizeof text,
                                "HTTP/1.1 %s\r\nServer: null\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                                "x-amz-request-id: 0000\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
                                status, fields, *type ? "Content-Type: " : "", type, *type ? "\r\n" : "", strlen(body),
                                bodiless ? "" : body);
    return send_all(socket, text, (size_t)length, 0);
}

static const char *const LISTING =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>null</Name><Prefix></Prefix>"
    "<KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>";
static const char *const NO_KEY = "<Error><Code>NoSuchKey</Code><Message>Nothing is kept here.</Message></Error>";
static const char *const NO_LENGTH =
    "<Error><Code>MissingContentLength</Code><Message>Only bodies of a known length, as they are.</Message></Error>";

static int answer_put(int socket, const unsigned char digest[16]) {
    char field[48] = "ETag: \"";
    uint64_t first;
    for (int i = 0; i < 16; i++) sprintf(field + 7 + 2 * i, "%02x", digest[i]);
    memcpy(&first, digest, 8);
    atomic_fetch_add(&etag_sum, first);
    strcat(field, "\"\r\n");
    return answer(socket, "200 OK", field, "", "", 0);
}

static int answer_request(int socket, int verb, const char *path, const unsigned char digest[16]) {
    const char *key = *path ? strchr(path + 1, '/') : NULL;
    const int object = key && key[1];
    if (verb == PUTS) return answer_put(socket, digest);
    if (verb == DELETES) return answer(socket, "204 No Content", "", "", "", 1);
    if (object) return answer(socket, "404 Not Found", "", "application/xml", NO_KEY, verb == HEADS);
    if (verb == HEADS) return answer(socket, "200 OK", "x-amz-bucket-region: us-east-1\r\n", "", "", 1);
    return answer(socket, "200 OK", "", "application/xml", LISTING, 0);
}

static int serve_request(connection *c) {
    const size_t length = read_head(c);
    if (!length) return 0;
    c->buffer[length - 3] = '\0'; /* keeps the last header's line break */
    char path[1024];
    int verb = 0;
    while (verb < OTHERS && (strncmp(c->buffer, VERB[verb], strlen(VERB[verb])) ||
                             c->buffer[strlen(VERB[verb])] != ' '))
        verb++;
    const char *at = strchr(c->buffer, ' ');
    snprintf(path, sizeof path, "%s", at ? at + 1 : "/");
    path[strcspn(path, " ?\r")] = '\0';
    if (!strcmp(path, "/-/stats")) {
        char seen[1024];
        describe(seen, sizeof seen);
        return answer(c->socket, "200 OK", "", "application/json", seen, 0) && 0;
    }
    entered(verb);
    const char *stated = header(c->buffer, "Content-Length"), *expected = header(c->buffer, "Expect");
    const char *encoding = header(c->buffer, "Content-Encoding");
    const int keep = keeps_alive(c->buffer);
    const int unknown = header(c->buffer, "Transfer-Encoding") || (encoding && !strncmp(encoding, "aws-chunked", 11)) ||
                        (verb == PUTS && !stated);
    const uint64_t body = stated ? strtoull(stated, NULL, 10) : 0;
    unsigned char digest[16];
    int alive = 1;
    if (!unknown && expected && c->held == length) {
        atomic_fetch_add(&continues, 1);
        delay();
        alive = send_all(c->socket, "HTTP/1.1 100 Continue\r\n\r\n", 25, 0);
    }
    if (unknown) alive = answer(c->socket, "411 Length Required", "", "application/xml", NO_LENGTH, 0) && 0;
    alive = alive && read_body(c, length, body, digest);
    if (alive) {
        delay();
        left();
        return answer_request(c->socket, verb, path, digest) && keep;
    }
    left();
    return 0;
}

int main(int count, char **arguments) {
    const uint16_t one = 1;
    if (!*(const char *)&one) return fputs("null_server needs a little-endian machine\n", stderr), 2;
    set_latency(count, arguments);
    return serve("null_server");
}

/* A null S3 server for benchmarks: it reads every body, answers its true MD5 as the ETag, and keeps nothing.
 *
 *   null_server [latency_ms] [jitter_ms] [none|normal|uniform] [seed]
 *
 * Prints its port on 127.0.0.1 and serves until its standard input is closed. A thread a connection; the latency of a
 * request is slept after its body was read (and before "100 Continue", which costs a client a round trip, too).
 * Answers PUT of an object, HEAD and GET of the bucket (an empty listing), 404 for HEAD and GET of any object, 204 for
 * DELETE. GET /-/stats is a JSON document of what was seen. Signatures are not looked at.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 64 << 10, BUFFER_BYTES = 256 << 10, STACK_BYTES = 512 << 10 };
enum { PUTS, HEADS, GETS, DELETES, POSTS, OTHERS, VERBS };

static const char *const VERB[VERBS] = {"PUT", "HEAD", "GET", "DELETE", "POST", "OTHER"};

static double latency_ms, jitter_ms;
static enum { NONE, NORMAL, UNIFORM } jitter = NONE;
static uint64_t seed = 7;

static atomic_ullong requests[VERBS], bytes_in, etag_sum, continues, number, connections;
static atomic_int in_flight, most_in_flight;

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

/* ---- Latency ---- */

/* In [0, 1), by the number of the request: the same seed gives the same sequence. */
static double random_part(uint64_t n) {
    uint64_t z = seed + n * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / (double)(1ull << 53);
}

static void delay(void) {
    const uint64_t n = atomic_fetch_add(&number, 2);
    double ms = latency_ms;
    if (jitter == UNIFORM) ms += jitter_ms * (2 * random_part(n) - 1);
    if (jitter == NORMAL) ms += jitter_ms * sqrt(-2 * log(1 - random_part(n))) * cos(2 * M_PI * random_part(n + 1));
    if (ms <= 0) return;
    struct timespec left = {(time_t)(ms / 1000), (long)(fmod(ms, 1000) * 1e6)};
    while (nanosleep(&left, &left) && errno == EINTR) continue;
}

/* ---- HTTP ---- */

typedef struct {
    int socket;
    size_t held; /* bytes in the buffer */
    char *buffer;
} connection;

static int send_all(int socket, const char *at, size_t length) {
    while (length) {
        const ssize_t sent = send(socket, at, length, MSG_NOSIGNAL);
        if (sent <= 0) return 0;
        at += sent, length -= (size_t)sent;
    }
    return 1;
}

/* Returns the length of the head, 0 at the end of the connection. */
static size_t read_head(connection *c) {
    size_t searched = 0;
    for (;;) {
        const size_t from = searched > 3 ? searched - 3 : 0;
        const char *end = c->held ? memmem(c->buffer + from, c->held - from, "\r\n\r\n", 4) : NULL;
        if (end) return (size_t)(end - c->buffer) + 4;
        if (c->held >= HEAD_BYTES) return 0;
        searched = c->held;
        const ssize_t got = recv(c->socket, c->buffer + c->held, HEAD_BYTES - c->held, 0);
        if (got <= 0) return 0;
        c->held += (size_t)got;
    }
}

/* The value of a header in a head that ends in "\r\n\r\n" (here '\0'-terminated before its last line break). */
static const char *header(const char *head, const char *name) {
    const size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, length) && line[2 + length] == ':') {
            const char *value = line + 3 + length;
            return value + strspn(value, " \t");
        }
    return NULL;
}

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
    atomic_fetch_add(&bytes_in, length);
    return 1;
}

static void entered(void) {
    const int now = atomic_fetch_add(&in_flight, 1) + 1;
    int most = atomic_load(&most_in_flight);
    while (now > most && !atomic_compare_exchange_weak(&most_in_flight, &most, now)) continue;
}

static int answer(int socket, const char *status, const char *fields, const char *type, const char *body, int bodiless) {
    char text[4096];
    const int length = snprintf(text, sizeof text,
                                "HTTP/1.1 %s\r\nServer: null\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                                "x-amz-request-id: 0000\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
                                status, fields, *type ? "Content-Type: " : "", type, *type ? "\r\n" : "", strlen(body),
                                bodiless ? "" : body);
    return send_all(socket, text, (size_t)length);
}

static int answer_stats(int socket) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    char text[1024];
    int at = snprintf(text, sizeof text, "{\"requests\": {");
    for (int verb = 0; verb < VERBS; verb++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s\"%s\": %llu", verb ? ", " : "", VERB[verb],
                       atomic_load(&requests[verb]));
    snprintf(text + at, sizeof text - (size_t)at,
             "}, \"bytes\": %llu, \"etag_sum\": %llu, \"continues\": %llu, \"connections\": %llu, "
             "\"most_in_flight\": %d, \"cpu_seconds\": %.3f}\n",
             atomic_load(&bytes_in), atomic_load(&etag_sum), atomic_load(&continues), atomic_load(&connections),
             atomic_load(&most_in_flight),
             (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return answer(socket, "200 OK", "", "application/json", text, 0);
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

/* Returns whether the connection goes on. */
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
    if (!strcmp(path, "/-/stats")) return answer_stats(c->socket) && 0;
    entered();
    atomic_fetch_add(&requests[verb], 1);
    const char *stated = header(c->buffer, "Content-Length"), *expected = header(c->buffer, "Expect");
    const char *encoding = header(c->buffer, "Content-Encoding");
    const int keep = !(at = header(c->buffer, "Connection")) || strncasecmp(at, "close", 5);
    const int unknown = header(c->buffer, "Transfer-Encoding") || (encoding && !strncmp(encoding, "aws-chunked", 11)) ||
                        (verb == PUTS && !stated);
    const uint64_t body = stated ? strtoull(stated, NULL, 10) : 0;
    unsigned char digest[16];
    int alive = 1;
    if (!unknown && expected && c->held == length) {
        atomic_fetch_add(&continues, 1);
        delay();
        alive = send_all(c->socket, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    if (unknown) alive = answer(c->socket, "411 Length Required", "", "application/xml", NO_LENGTH, 0) && 0;
    alive = alive && read_body(c, length, body, digest);
    if (alive) {
        delay();
        atomic_fetch_sub(&in_flight, 1); /* before the answer: the next request of this client may overtake us */
        return answer_request(c->socket, verb, path, digest) && keep;
    }
    atomic_fetch_sub(&in_flight, 1);
    return 0;
}

static void *serve_connection(void *argument) {
    connection c = {.socket = (int)(intptr_t)argument, .buffer = malloc(BUFFER_BYTES)};
    if (c.buffer)
        while (serve_request(&c)) continue;
    free(c.buffer);
    close(c.socket);
    return NULL;
}

static void *accept_all(void *argument) {
    const int listening = (int)(intptr_t)argument, yes = 1;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    for (;;) {
        const int accepted = accept(listening, NULL, NULL);
        pthread_t thread;
        if (accepted < 0) continue;
        atomic_fetch_add(&connections, 1);
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (pthread_create(&thread, &small, serve_connection, (void *)(intptr_t)accepted)) close(accepted);
    }
    return NULL;
}

int main(int count, char **arguments) {
    const uint16_t one = 1;
    if (!*(const char *)&one) return fputs("null_server needs a little-endian machine\n", stderr), 2;
    signal(SIGPIPE, SIG_IGN);
    if (count > 1) latency_ms = atof(arguments[1]);
    if (count > 2) jitter_ms = atof(arguments[2]);
    if (count > 3) jitter = !strcmp(arguments[3], "normal") ? NORMAL : !strcmp(arguments[3], "uniform") ? UNIFORM : NONE;
    if (count > 4) seed = strtoull(arguments[4], NULL, 10);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) || listen(listening, 4096) ||
        getsockname(listening, (struct sockaddr *)&address, &size))
        return perror("null_server"), 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    pthread_t accepting;
    if (pthread_create(&accepting, NULL, accept_all, (void *)(intptr_t)listening)) return perror("null_server"), 1;
    char ignored[64];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) continue;
    return 0;
}

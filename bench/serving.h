/* What the benchmarks' servers do alike: a thread a connection, latency, what was seen. A server defines BUFFER_BYTES,
 * its verbs (VERBS, VERB) and `serve_request`, and is one file: this is included once. */

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

enum { HEAD_BYTES = 64 << 10, STACK_BYTES = 512 << 10 };

static double latency_ms, jitter_ms;
static enum { NONE, NORMAL, UNIFORM } jitter = NONE;
static uint64_t seed = 7;

static atomic_ullong requests[VERBS], bytes, etag_sum, continues, number, connections;
static atomic_int in_flight, most_in_flight;

typedef struct {
    int socket;
    size_t held; /* bytes in the buffer */
    char *buffer;
} connection;

/* Answers one request; returns whether the connection goes on. */
static int serve_request(connection *c);

/* ---- Latency ---- */

static void set_latency(int count, char **arguments) {
    if (count > 1) latency_ms = atof(arguments[1]);
    if (count > 2) jitter_ms = atof(arguments[2]);
    if (count > 3) jitter = !strcmp(arguments[3], "normal") ? NORMAL : !strcmp(arguments[3], "uniform") ? UNIFORM : NONE;
    if (count > 4) seed = strtoull(arguments[4], NULL, 10);
}

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

/* `more` follows at once: it may go in the same packet. */
static int send_all(int socket, const char *at, size_t length, int more) {
    while (length) {
        const ssize_t sent = send(socket, at, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
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

static int keeps_alive(const char *head) {
    const char *said = header(head, "Connection");
    return !said || strncasecmp(said, "close", 5);
}

/* ---- What was seen ---- */

static void entered(int verb) {
    const int now = atomic_fetch_add(&in_flight, 1) + 1;
    int most = atomic_load(&most_in_flight);
    while (now > most && !atomic_compare_exchange_weak(&most_in_flight, &most, now)) continue;
    atomic_fetch_add(&requests[verb], 1);
}

/* Before the answer: the next request of this client may overtake us. */
static void left(void) { atomic_fetch_sub(&in_flight, 1); }

/* Writes the JSON document of GET /-/stats. */
static void describe(char *text, size_t room) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    int at = snprintf(text, room, "{\"requests\": {");
    for (int verb = 0; verb < VERBS; verb++)
        at += snprintf(text + at, room - (size_t)at, "%s\"%s\": %llu", verb ? ", " : "", VERB[verb],
                       atomic_load(&requests[verb]));
    snprintf(text + at, room - (size_t)at,
             "}, \"bytes\": %llu, \"etag_sum\": %llu, \"continues\": %llu, \"connections\": %llu, "
             "\"most_in_flight\": %d, \"cpu_seconds\": %.3f}\n",
             atomic_load(&bytes), atomic_load(&etag_sum), atomic_load(&continues), atomic_load(&connections),
             atomic_load(&most_in_flight),
             (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
}

/* ---- Connections ---- */

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

/* Prints its port on 127.0.0.1 and serves until the standard input is closed; returns the program's exit code. */
static int serve(const char *name) {
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) || listen(listening, 4096) ||
        getsockname(listening, (struct sockaddr *)&address, &size))
        return perror(name), 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    pthread_t accepting;
    if (pthread_create(&accepting, NULL, accept_all, (void *)(intptr_t)listening)) return perror(name), 1;
    char ignored[64];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) continue;
    return 0;
}

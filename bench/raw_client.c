/* The least a client can do: PUTs of the same bytes over keep-alive connections, to find what the null server can take.
 *
 *   raw_client port connections size requests
 *
 * Prints the seconds it took.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port;
static size_t size;
static char *message;
static size_t message_bytes;
static atomic_long left;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *send_requests(void *ignored) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int connection = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    char answer[4096];
    (void)ignored;
    if (connect(connection, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    while (atomic_fetch_sub(&left, 1) > 0) {
        for (size_t sent = 0; sent < message_bytes;) {
            const ssize_t some = send(connection, message + sent, message_bytes - sent, MSG_NOSIGNAL);
            if (some <= 0) fail("send");
            sent += (size_t)some;
        }
        /* The answer to a PUT is one head without a body, sent in one piece. */
        for (size_t got = 0; got < 4 || memcmp(answer + got - 4, "\r\n\r\n", 4);) {
            const ssize_t some = recv(connection, answer + got, sizeof answer - got, 0);
            if (some <= 0) fail("recv");
            got += (size_t)some;
        }
    }
    close(connection);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 5) return fputs("raw_client port connections size requests\n", stderr), 2;
    port = atoi(arguments[1]);
    const int connections = atoi(arguments[2]);
    size = strtoul(arguments[3], NULL, 10);
    left = atol(arguments[4]);
    message = malloc(size + 256);
    pthread_t *threads = calloc((size_t)connections, sizeof *threads);
    if (!message || !threads) fail("malloc");
    const int head = sprintf(message, "PUT /null/key HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n\r\n", size);
    message_bytes = (size_t)head + size;
    for (size_t at = 0; at < size; at++) message[(size_t)head + at] = (char)(at * 31);
    struct timespec started, ended;
    clock_gettime(CLOCK_MONOTONIC, &started);
    for (int n = 0; n < connections; n++)
        if (pthread_create(&threads[n], NULL, send_requests, NULL)) fail("pthread_create");
    for (int n = 0; n < connections; n++) pthread_join(threads[n], NULL);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%.6f\n", (double)(ended.tv_sec - started.tv_sec) + (double)(ended.tv_nsec - started.tv_nsec) / 1e9);
    return 0;
}

/* An S3 server for benchmarks of what reads a bucket: so many objects, all with the same bytes, made up from a list.
 *
 *   keeping_server latency_ms jitter_ms none|normal|uniform seed KEYS CONTENT ETAG
 *
 * KEYS is a file with one key a line, in byte order; CONTENT a file with the bytes of each object, a PNG; ETAG their
 * MD5. Prints its port on 127.0.0.1 and serves until its standard input is closed. A thread a connection; the latency
 * of a request is slept before its answer. Answers HEAD and GET of an object and of the bucket, ListObjectsV2 (prefix,
 * start-after, continuation-token, max-keys), DELETE and DeleteObjects, which are kept in mind; 501 for any PUT.
 * GET /-/stats is a JSON document of what was seen, listings counted apart. Signatures are not looked at.
 */

enum { BUFFER_BYTES = 1 << 20, PAGE_KEYS = 1000, ENTRY_BYTES = 2048, KEY_BYTES = 1100 };
enum { PUTS, HEADS, GETS, LISTS, DELETES, POSTS, VERBS };

static const char *const VERB[VERBS] = {"PUT", "HEAD", "GET", "LIST", "DELETE", "POST"};

#include "serving.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static struct {
    const char *text; /* all keys, a line each */
    size_t *at;       /* where each begins, and where the last ends */
    size_t count;
    atomic_uchar *gone;
} keys;
static struct {
    const char *bytes;
    size_t size;
    const char *etag;
} content;

/* ---- Keys ---- */

static size_t key_length(size_t i) { return keys.at[i + 1] - keys.at[i] - 1; }

static int compared(size_t i, const char *key, size_t length) {
    const size_t mine = key_length(i);
    const int order = memcmp(keys.text + keys.at[i], key, mine < length ? mine : length);
    return order ? order : (mine > length) - (mine < length);
}

/* The first key that is not below this one; `above`: that is above it. */
static size_t search(const char *key, int above) {
    const size_t length = strlen(key);
    size_t low = 0, high = keys.count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compared(middle, key, length) < above) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The number of a key, keys.count if there is no such object. */
static size_t find(const char *key) {
    const size_t i = search(key, 0);
    return i < keys.count && !compared(i, key, strlen(key)) && !keys.gone[i] ? i : keys.count;
}

static void forget(const char *key) {
    const size_t i = find(key);
    if (i < keys.count) keys.gone[i] = 1;
}

static const char *mapped(const char *path, size_t *size) {
    struct stat facts;
    const int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &facts)) return NULL;
    *size = (size_t)facts.st_size;
    const char *at = *size ? mmap(NULL, *size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0) : "";
    close(file);
    return at == MAP_FAILED ? NULL : at;
}

static int read_keys(const char *path) {
    size_t size;
    keys.text = mapped(path, &size);
    if (!keys.text) return 0;
    for (size_t i = 0; i < size; i++) keys.count += keys.text[i] == '\n';
    keys.at = malloc((keys.count + 1) * sizeof *keys.at);
    keys.gone = calloc(keys.count + 1, 1);
    size_t found = 0;
    keys.at[0] = 0;
    for (size_t i = 0; i < size; i++)
        if (keys.text[i] == '\n') keys.at[++found] = i + 1;
    return 1;
}

/* ---- HTTP ---- */

static size_t read_until(connection *c, size_t wanted) {
    while (c->held < wanted) {
        const ssize_t got = recv(c->socket, c->buffer + c->held, BUFFER_BYTES - c->held, 0);
        if (got <= 0) return 0;
        c->held += (size_t)got;
    }
    return wanted;
}

/* Decodes one part of a URL up to any of `ends`. */
static void decode(char *out, size_t room, const char *at, const char *ends) {
    size_t used = 0;
    for (; *at && !strchr(ends, *at) && used + 1 < room; at++) {
        unsigned value;
        if (*at == '%' && sscanf(at + 1, "%2x", &value) == 1) out[used++] = (char)value, at += 2;
        else out[used++] = *at == '+' ? ' ' : *at;
    }
    out[used] = '\0';
}

/* Writes the value of a parameter of the query, empty if there is none. */
static void parameter(char *out, size_t room, const char *query, const char *name) {
    const size_t length = strlen(name);
    *out = '\0';
    for (const char *at = query; at; at = strchr(at, '&')) {
        at += *at == '&';
        if (!strncmp(at, name, length) && at[length] == '=') {
            decode(out, room, at + length + 1, "& ");
            return;
        }
    }
}

static int answer(int socket, const char *status, const char *fields, const char *body, size_t length, int bodiless) {
    char head[4096];
    const int used = snprintf(head, sizeof head,
                              "HTTP/1.1 %s\r\nServer: keeping\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                              "x-amz-request-id: 0000\r\n%sContent-Length: %zu\r\n\r\n",
                              status, fields, length);
    if (bodiless) return send_all(socket, head, (size_t)used, 0);
    atomic_fetch_add(&bytes, length);
    return send_all(socket, head, (size_t)used, length > 0) && send_all(socket, body, length, 0);
}

static int answer_text(int socket, const char *status, const char *type, const char *body, int bodiless) {
    char field[64];
    snprintf(field, sizeof field, "Content-Type: %s\r\n", type);
    return answer(socket, status, field, body, strlen(body), bodiless);
}

static int answer_object(int socket, const char *key, int bodiless) {
    if (find(key) == keys.count)
        return answer_text(socket, "404 Not Found", "application/xml",
                           "<Error><Code>NoSuchKey</Code><Message>There is no such object.</Message></Error>", bodiless);
    char fields[1024];
    snprintf(fields, sizeof fields,
             "Content-Type: image/png\r\nCache-Control: public, max-age=31536000\r\nETag: \"%s\"\r\n"
             "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nAccept-Ranges: bytes\r\n"
             "x-amz-meta-personaid: gen-z\r\nx-amz-meta-provider: openai\r\nx-amz-meta-prompt: a poster of the sea\r\n"
             "x-amz-meta-generatedat: 2025-09-10T10:26:40.000Z\r\nx-amz-meta-migratedat: 2026-01-01T00:00:00.000Z\r\n"
             "x-amz-meta-size: 128x128\r\nx-amz-meta-originalformat: base64\r\n",
             content.etag);
    return answer(socket, "200 OK", fields, content.bytes, content.size, bodiless);
}

static int answer_listing(int socket, const char *query) {
    char prefix[KEY_BYTES], after[KEY_BYTES], wanted[16];
    parameter(prefix, sizeof prefix, query, "prefix");
    parameter(after, sizeof after, query, "continuation-token");
    if (!*after) parameter(after, sizeof after, query, "start-after");
    parameter(wanted, sizeof wanted, query, "max-keys");
    const size_t most = *wanted && atoi(wanted) < PAGE_KEYS ? (size_t)atoi(wanted) : PAGE_KEYS;
    size_t i = search(prefix, 0), listed = 0, last = 0;
    if (*after && search(after, 1) > i) i = search(after, 1);
    char *text = malloc(most * ENTRY_BYTES + 4096), *at = text;
    at += sprintf(at, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
                      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>kept</Name><Prefix>images/</Prefix>"
                      "<MaxKeys>%zu</MaxKeys><EncodingType>url</EncodingType>", most);
    const size_t start = strlen(prefix);
    for (; i < keys.count && key_length(i) >= start && !memcmp(keys.text + keys.at[i], prefix, start); i++) {
        if (keys.gone[i]) continue;
        if (listed == most) break;
        at += sprintf(at, "<Contents><Key>%.*s</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                          "<ETag>&quot;%s&quot;</ETag><Size>%zu</Size><StorageClass>STANDARD</StorageClass></Contents>",
                      (int)key_length(i), keys.text + keys.at[i], content.etag, content.size);
        listed++, last = i;
    }
    const int more = i < keys.count && key_length(i) >= start && !memcmp(keys.text + keys.at[i], prefix, start);
    at += sprintf(at, "<KeyCount>%zu</KeyCount><IsTruncated>%s</IsTruncated>", listed, more ? "true" : "false");
    if (more)
        at += sprintf(at, "<NextContinuationToken>%.*s</NextContinuationToken>", (int)key_length(last),
                      keys.text + keys.at[last]);
    at += sprintf(at, "</ListBucketResult>");
    const int sent = answer(socket, "200 OK", "Content-Type: application/xml\r\n", text, (size_t)(at - text), 0);
    free(text);
    return sent;
}

static int answer_deletes(int socket, char *body) {
    for (char *at = strstr(body, "<Key>"); at; at = strstr(at, "<Key>")) {
        char *end = strstr(at += 5, "</Key>");
        if (!end) break;
        *end = '\0';
        forget(at);
        at = end + 1;
    }
    return answer_text(socket, "200 OK", "application/xml", "<DeleteResult></DeleteResult>", 0);
}

static int verb_of(const char *head, int object) {
    if (!strncmp(head, "HEAD ", 5)) return HEADS;
    if (!strncmp(head, "GET ", 4)) return object ? GETS : LISTS;
    if (!strncmp(head, "DELETE ", 7)) return DELETES;
    return strncmp(head, "POST ", 5) ? PUTS : POSTS;
}

static int answer_request(int socket, int verb, const char *key, const char *query, char *body) {
    switch (verb) {
    case HEADS: return *key ? answer_object(socket, key, 1) : answer(socket, "200 OK", "", "", 0, 1);
    case GETS: return answer_object(socket, key, 0);
    case LISTS: return answer_listing(socket, query);
    case DELETES: forget(key); return answer(socket, "204 No Content", "", "", 0, 1);
    case POSTS: return answer_deletes(socket, body);
    default: return answer_text(socket, "501 Not Implemented", "application/xml", "<Error/>", 0);
    }
}

static int serve_request(connection *c) {
    const size_t head = read_head(c);
    if (!head) return 0;
    c->buffer[head - 3] = '\0'; /* keeps the last header's line break */
    const char *stated = header(c->buffer, "Content-Length");
    const uint64_t length = stated ? strtoull(stated, NULL, 10) : 0;
    if (head + length >= BUFFER_BYTES || !read_until(c, head + (size_t)length)) return 0;
    const char *path = strchr(c->buffer, ' ');
    if (!path) return 0;
    path++;
    if (!strncmp(path, "/-/stats ", 9)) {
        char seen[1024];
        describe(seen, sizeof seen);
        return answer_text(c->socket, "200 OK", "application/json", seen, 0) && 0;
    }
    char key[KEY_BYTES] = "", query[4 * KEY_BYTES] = "";
    const size_t plain = strcspn(path, "? \r");
    const char *slash = memchr(path + 1, '/', plain ? plain - 1 : 0);
    if (slash) decode(key, sizeof key, slash + 1, "? \r");
    if (path[plain] == '?') snprintf(query, sizeof query, "%.*s", (int)strcspn(path + plain + 1, " \r"), path + plain + 1);
    const int verb = verb_of(c->buffer, *key != '\0'), keep = keeps_alive(c->buffer);
    char *body = strndup(c->buffer + head, (size_t)length);
    c->held -= head + (size_t)length;
    memmove(c->buffer, c->buffer + head + length, c->held);
    entered(verb);
    delay();
    left();
    const int sent = answer_request(c->socket, verb, key, query, body);
    free(body);
    return sent && keep;
}

int main(int count, char **arguments) {
    if (count != 8) return fputs("keeping_server latency jitter kind seed KEYS CONTENT ETAG\n", stderr), 2;
    set_latency(5, arguments);
    content.bytes = mapped(arguments[6], &content.size), content.etag = arguments[7];
    if (!read_keys(arguments[5]) || !content.bytes) return perror("keeping_server"), 1;
    return serve("keeping_server");
}

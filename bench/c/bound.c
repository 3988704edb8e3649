/* The least a server of lines can do: what Mythos is measured against.
 *
 *   bound echo      answers each line with that line, one send() each
 *   bound fanout    sends each line to every connection, one send() each
 *
 * Listens on a free port of 127.0.0.1, prints the port, serves until its standard input ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 20000 };

struct client { size_t held; char data[4096]; };

static struct client *clients[MOST];
static int order[MOST], place[MOST], count;

static void fail(const char *what) { perror(what); exit(1); }

static void leave(int fd)
{
    order[place[fd]] = order[--count];
    place[order[place[fd]]] = place[fd];
    free(clients[fd]);
    clients[fd] = NULL;
    close(fd);
}

static void transmit(int fd, const char *data, size_t size)
{
    if (send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size && errno == EAGAIN)
        fail("a reader is too slow for this bound");
}

static void heard(int fd, int fanout)
{
    struct client *client = clients[fd];
    ssize_t got = recv(fd, client->data + client->held, sizeof client->data - client->held, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) leave(fd);
        return;
    }
    client->held += (size_t)got;
    char *line = client->data, *end = client->data + client->held, *stop;
    while ((stop = memchr(line, '\n', (size_t)(end - line)))) {
        size_t size = (size_t)(stop + 1 - line);
        if (fanout)
            for (int i = 0; i < count; i++) transmit(order[i], line, size);
        else
            transmit(fd, line, size);
        line = stop + 1;
    }
    client->held = (size_t)(end - line);
    memmove(client->data, line, client->held);
    if (client->held == sizeof client->data) leave(fd);
}

static void enter(int listener, int poll)
{
    int fd = accept(listener, NULL, NULL), on = 1;
    if (fd < 0) return;
    if (fd >= MOST) { close(fd); return; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    clients[fd] = calloc(1, sizeof *clients[fd]);
    place[fd] = count;
    order[count++] = fd;
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (!clients[fd] || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

int main(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "echo") && strcmp(argv[1], "fanout"))) {
        fprintf(stderr, "usage: bound echo|fanout\n");
        return 2;
    }
    int fanout = argv[1][0] == 'f', poll = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, events[512];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = STDIN_FILENO;
    if (epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &event)) fail("standard input");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(poll, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) return 0;
            if (fd == listener) enter(listener, poll);
            else if (clients[fd]) heard(fd, fanout);
        }
    }
}

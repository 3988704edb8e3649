#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#define CALL "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":{%s}}\n"

int main(int argc, char **argv) { /* host port key */
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  if (argc < 4 || getaddrinfo(argv[1], argv[2], &hints, &found)) return 1;
  int line = socket(found->ai_family, SOCK_STREAM, 0);
  if (connect(line, found->ai_addr, found->ai_addrlen)) return 1;
  char text[4096], key[512];
  snprintf(key, sizeof key, "\"api_key\":\"%s\"", argv[3]);
  dprintf(line, CALL, 1, "authenticate", key);
  dprintf(line, CALL, 2, "channel_join", "\"channel\":\"gossip\"");
  dprintf(line, CALL, 3, "channel_send", "\"channel\":\"gossip\",\"message\":\"hello from C\",\"from_user\":\"Ann\"");
  for (ssize_t size; (size = read(line, text, sizeof text)) > 0;) write(1, text, size);
  return 0;
}

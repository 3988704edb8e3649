import json
import socket
import sys

line = socket.create_connection((sys.argv[1], int(sys.argv[2]))).makefile("rw", encoding="utf-8", newline="\n")
calls = [("authenticate", {"api_key": sys.argv[3]}), ("channel_join", {"channel": "gossip"})]
calls.append(("channel_send", {"channel": "gossip", "message": "hello from Python", "from_user": "Ann"}))
for number, (method, params) in enumerate(calls, 1):
    print(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}), file=line, flush=True)
for text in line:
    print(text, end="", flush=True)

local socket = require("socket")
local host, port, key = arg[1], tonumber(arg[2]), arg[3]
local line = assert(socket.connect(host, port))
local function call(number, method, params)
  line:send(('{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n'):format(number, method, params))
end
call(1, "authenticate", ('{"api_key":"%s"}'):format(key))
call(2, "channel_join", '{"channel":"gossip"}')
call(3, "channel_send", '{"channel":"gossip","message":"hello from Lua","from_user":"Ann"}')
for text in function() return line:receive() end do print(text) end

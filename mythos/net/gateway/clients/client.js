const [host, port, key] = process.argv.slice(2);
const line = require("node:net").connect(Number(port), host);
let number = 0;
const call = (method, params) => line.write(JSON.stringify({ jsonrpc: "2.0", id: ++number, method, params }) + "\n");
line.on("connect", () => {
  call("authenticate", { api_key: key });
  call("channel_join", { channel: "gossip" });
  call("channel_send", { channel: "gossip", message: "hello from JavaScript", from_user: "Ann" });
});
line.pipe(process.stdout);

import { Problem } from "./api.js";

/**
 * The two roads to the server. Both carry the same frames: a road is opened with an attach frame, hands over what it
 * hears, and says once that it is lost. After `close()` it says nothing more.
 *
 * @typedef {{send: (frame: any) => void, close: () => void}} Road
 * @typedef {{code?: number, reason?: string, denied?: boolean}} Why denied: our token is no good
 * @typedef {{open: () => void, frame: (frame: any) => void, lost: (why: Why) => void}} Hooks
 * @typedef {{t: "attach", token: string, epoch?: string, last?: number}} Attach
 */

/** @param {Hooks} hooks one loss only, and none after it was shut */
function gate(hooks) {
  let shut = false;
  return {
    get shut() {
      return shut;
    },
    close() {
      shut = true;
    },
    open: () => shut || hooks.open(),
    frame: (frame) => shut || hooks.frame(frame),
    text(text) {
      let frame;
      try {
        frame = JSON.parse(text);
      } catch {
        return this.lost({ reason: "not JSON" });
      }
      return this.frame(frame);
    },
    /** @param {Why} why */
    lost(why) {
      if (shut) return;
      shut = true;
      hooks.lost(why);
    },
  };
}

/**
 * WebSocket, `mythos.v1`.
 *
 * @param {string|URL} base @param {Attach} attach @param {Hooks} hooks
 * @returns {Road}
 */
export function openSocket(base, attach, hooks) {
  const door = gate(hooks);
  const url = new URL("ws", base);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url, "mythos.v1");
  socket.onopen = () => {
    socket.send(JSON.stringify(attach));
    door.open();
  };
  socket.onmessage = (event) => door.text(event.data);
  socket.onclose = (event) => door.lost({ code: event.code, reason: event.reason });
  return {
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
    },
    close() {
      door.close();
      socket.close();
    },
  };
}

/** How often a command is posted again when the server asks for patience. */
const PATIENCE = 5;

/**
 * Server-sent events, and commands by POST, one after the other. Each stream takes a ticket of its own: the browser's
 * own way to come back is not used, as it cannot learn what went wrong.
 *
 * @param {string|URL} base @param {Attach} attach @param {Hooks} hooks @param {import("./api.js").Api} api
 * @returns {Road}
 */
export function openStream(base, attach, hooks, api) {
  let token = attach.token;
  const door = gate({
    ...hooks,
    frame(frame) {
      if (frame.t === "hello") token = frame.token;
      hooks.frame(frame);
    },
  });
  let source;
  let posted = Promise.resolve();

  const failed = (error) => door.lost({ denied: error instanceof Problem && error.status === 401 });

  const start = async () => {
    const { ticket } = await api.post("ticket", {}, token);
    if (door.shut) return;
    const url = new URL("sse", base);
    url.searchParams.set("ticket", ticket);
    if (attach.last !== undefined) url.searchParams.set("last", `${attach.epoch}.${attach.last}`);
    source = new EventSource(url);
    source.onopen = () => door.open();
    source.onmessage = (event) => door.text(event.data);
    source.onerror = () => {
      source?.close();
      door.lost({});
    };
  };
  start().catch(failed);

  const post = async (frame) => {
    for (let tries = 0; !door.shut; tries += 1) {
      try {
        const answer = await api.post("commands", frame, token);
        if (answer.t) door.frame(answer);
        return;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const patience = error.status === 429 || error.status === 503;
        if (patience && tries < PATIENCE) {
          await new Promise((resolve) => setTimeout(resolve, 1000 * (error.wait || 1)));
        } else if (error.status === 400 && frame.c) {
          door.frame({ t: "refused", c: frame.c, error: error.message });
          return;
        } else return failed(error);
      }
    }
  };

  return {
    send(frame) {
      posted = posted.then(() => post(frame)).catch(failed);
    },
    close() {
      door.close();
      source?.close();
    },
  };
}

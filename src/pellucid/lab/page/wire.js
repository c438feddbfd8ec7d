// The page's one WebSocket, and the model of a view on it (what anywidget's model is in a notebook).

export class Wire {
  constructor() {
    this.calls = new Map();
    this.waiting = [];
    this.next = 1;
    this.lost = null; // called when the server is gone
  }

  /** Connect. Not before there is something to say: the first page has nothing. */
  connect() {
    this.socket = new WebSocket(`ws://${location.host}/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.waiting.splice(0).forEach((text) => this.socket.send(text));
    this.socket.onmessage = ({ data }) => {
      const message = typeof data === "string" ? JSON.parse(data) : unpack(data);
      this.calls.get(message.id)?.(message);
    };
    this.socket.onclose = (event) => this.lost?.(event.reason);
  }

  /** A channel: what comes back under its number goes to `call`. */
  channel(call) {
    if (!this.socket) this.connect();
    const id = this.next++;
    this.calls.set(id, call);
    return {
      send: (message) => {
        const text = JSON.stringify({ id, ...message });
        if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
        else this.waiting.push(text);
      },
      close: () => this.calls.delete(id),
    };
  }
}

/** A binary frame: header and float32 arrays (codec.py has the format). */
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  return JSON.parse(header, (_, value) => {
    if (!value || !Array.isArray(value.shape) || !Array.isArray(value.at)) return value;
    const [offset, bytes] = value.at;
    return { shape: value.shape, data: new Float32Array(buffer, 4 + length + offset, bytes / 4) };
  });
}

/** The model of a view. Resolves when its first state is there. */
export function openView(wire, name, language) {
  const heard = {};
  const say = (what, ...told) => (heard[what] ?? []).forEach((call) => call(...told));
  const content = {};
  return new Promise((ready, failed) => {
    const model = {
      runs: true, // the reader's code can be run
      get: (key) => content[key],
      on: (what, call) => (heard[what] ??= []).push(call),
      off: (what, call) => (heard[what] = (heard[what] ?? []).filter((one) => one !== call)),
      send: (message) => channel.send(message),
      close: () => {
        channel.send({ close: true });
        channel.close();
      },
    };
    const channel = wire.channel((message) => {
      if (message.event === "state") {
        const first = !content.state;
        content.state = message.state;
        if (first) ready(model);
        else say("change:state");
      } else if (!content.state) failed(new Error([message.message, message.original].filter(Boolean).join("\n")));
      else say("msg:custom", message);
    });
    channel.send({ open: name, language });
  });
}

// The outputs of one cell, in a frame of their own. Widgets are shown by the html-manager of ipywidgets, which gets what
// it lacks here: a kernel.

/** One kernel of the Jupyter server, by a websocket. */
class Kernel {
  session = crypto.randomUUID();
  #replies = new Map();

  /**
   * @param {string} id
   * @param {(message: any) => Promise<void>} receive is called with one message after the other
   */
  constructor(id, receive) {
    const url = new URL(`/api/kernels/${id}/channels?session_id=${this.session}`, location.href);
    url.protocol = "ws:";
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.isOpen = new Promise((resolve) => this.socket.addEventListener("open", resolve));
    let last = Promise.resolve();
    this.socket.addEventListener("message", ({ data }) => {
      const message = decoded(data);
      const reply = this.#replies.get(message.parent_header?.msg_id);
      last = last.then(() => receive(message)).catch((error) => console.error(error));
      if (message.content.execution_state === "idle") last.then(() => reply?.());
    });
  }

  /**
   * @param {string} type
   * @param {object} content
   * @param {object} [metadata]
   * @returns {{id: string, done: Promise<void>}} `done`: what the kernel had to say to it has been received
   */
  send(type, content, metadata = {}) {
    const id = crypto.randomUUID();
    const header = { msg_id: id, msg_type: type, session: this.session, username: "", version: "5.3", date: "" };
    const done = new Promise((resolve) => this.#replies.set(id, resolve));
    this.isOpen.then(() =>
      this.socket.send(JSON.stringify({ channel: "shell", header, parent_header: {}, metadata, content })),
    );
    return { id, done };
  }
}

/** A message: JSON, or with buffers a binary one, which begins with the count and the offsets of its parts. */
function decoded(data) {
  if (typeof data === "string") return { ...JSON.parse(data), buffers: [] };
  const view = new DataView(data);
  const offsets = Array.from({ length: view.getUint32(0) }, (_, index) => view.getUint32(4 * (index + 1)));
  const parts = offsets.map((start, index) => data.slice(start, offsets[index + 1]));
  return { ...JSON.parse(new TextDecoder().decode(parts[0])), buffers: parts.slice(1).map((part) => new DataView(part)) };
}

/** The page's end of a comm. */
class Comm {
  #callbacks = { msg: () => {}, close: () => {} };

  constructor(kernel, id, target) {
    Object.assign(this, { kernel, comm_id: id, target_name: target });
  }

  on_msg(callback) {
    this.#callbacks.msg = callback;
  }

  on_close(callback) {
    this.#callbacks.close = callback;
  }

  send(data, callbacks, metadata) {
    const { id, done } = this.kernel.send("comm_msg", { comm_id: this.comm_id, data }, metadata);
    // The manager sends the next change of a model once it knows that the kernel is done with the last.
    done.then(() => callbacks?.iopub?.status?.({ content: { execution_state: "idle" } }));
    return id;
  }

  close() {
    return "";
  }

  receive(message) {
    return this.#callbacks[message.header.msg_type === "comm_close" ? "close" : "msg"](message);
  }
}

const given = new URLSearchParams(location.search);
document.documentElement.setAttribute("theme", given.get("theme"));
requirejs.config({ paths: { anywidget: "lib/anywidget" } });
const load = (...names) => new Promise((resolve, reject) => requirejs(names, (...found) => resolve(found), reject));

const [{ HTMLManager }] = await load("@jupyter-widgets/html-manager", "@jupyter-widgets/html-manager/dist/libembed-amd");
const manager = new HTMLManager({ loader: async (name) => (await load(name))[0] });
const comms = new Map();
const outputs = new Map();
const printed = new Map();
let cell;

async function show(data, element) {
  element.replaceChildren();
  const view = data["application/vnd.jupyter.widget-view+json"];
  if (!view) {
    element.innerHTML = data["text/html"] ?? "";
    return;
  }
  const model = await manager.get_model(view.model_id);
  const made = await manager.create_view(model);
  // The html-manager for ipywidgets 7 takes another order of arguments.
  if (manager.display_view.length === 3) await manager.display_view(undefined, made, { el: element });
  else await manager.display_view(made, element);
}

const kernel = new Kernel(given.get("kernel"), async (message) => {
  const { header, parent_header: parent, content } = message;
  if (header.msg_type === "comm_open") {
    // Other frames' widgets are not for this one, which does not know the widgets that they consist of.
    if (parent.session !== kernel.session) return;
    const comm = new Comm(kernel, content.comm_id, content.target_name);
    comms.set(content.comm_id, comm);
    await manager.handle_comm_open(comm, message);
  } else if (header.msg_type === "comm_msg" || header.msg_type === "comm_close") {
    await comms.get(content.comm_id)?.receive(message);
  } else if (header.msg_type === "update_display_data") {
    const element = outputs.get(content.transient.display_id);
    if (element) await show(content.data, element);
  } else if (header.msg_type === "stream") {
    printed.set(parent.msg_id, (printed.get(parent.msg_id) ?? "") + content.text);
  } else if (parent?.msg_id !== cell) {
    return;
  } else if (header.msg_type === "display_data" || header.msg_type === "execute_result") {
    const element = document.createElement("div");
    outputs.set(content.transient?.display_id, element);
    document.body.append(element);
    await show(content.data, element);
  } else if (header.msg_type === "error") {
    console.error(content.ename, content.evalue);
  }
});
const execute = (code) => kernel.send("execute_request", { code, silent: false, allow_stdin: false });

// For the tests: runs code that belongs to no cell, and gives what it prints.
globalThis.ask = async (code) => {
  const { id, done } = execute(code);
  await done;
  return printed.get(id) ?? "";
};

const run = execute(given.get("code"));
cell = run.id;
await run.done;

// @ts-check
/**
 * Shows a Plotly figure. plotly.js comes from a kernel, once a page.
 *
 * @typedef {{
 *   get(name: string): any,
 *   on(event: string, callback: Function): void,
 *   off(event: string, callback: Function): void,
 *   send(content: object): void,
 * }} Model
 */

const PLACEHOLDER = "actwidget:image:";
const ARRAY = "actwidget:array:";
const PNG = "data:image/png;base64,";
const NARROW = 560;
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Escape"]);

/**
 * Sets one attribute, named by a path as Plotly.relayout takes it: `xaxis.domain`, `annotations[0].x`.
 * @param {any} target
 * @param {string} path
 * @param {any} value
 */
export function setAttribute(target, path, value) {
  const steps = path.replace(/\[(\d+)\]/g, ".$1").split(".");
  const last = /** @type {string} */ (steps.pop());
  let inner = target;
  for (const step of steps) {
    if (typeof inner[step] !== "object" || inner[step] === null) inner[step] = {};
    inner = inner[step];
  }
  inner[last] = value;
}

/**
 * A PNG as a data URI, the one form that Plotly hands to the page as it is.
 * @param {DataView | string | undefined} picture from the kernel bytes, in a saved page a data URI already
 * @returns {string | undefined}
 */
export function pictureUri(picture) {
  if (typeof picture !== "object") return picture;
  const bytes = new Uint8Array(picture.buffer, picture.byteOffset, picture.byteLength);
  // Browsers from before 2025 have no toBase64; of half a megabyte it takes 0.5 ms, the other way 30.
  const quick = /** @type {{toBase64?: () => string}} */ (bytes).toBase64?.();
  if (quick !== undefined) return PNG + quick;
  let text = "";
  // As many at a time as a call takes arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return PNG + btoa(text);
}

/**
 * Puts the large arrays of a trace back, each as the bytes that Plotly takes.
 * @param {any} trace
 * @param {(DataView | string)[]} arrays from the kernel bytes, in a saved page base64 already
 */
function fill(trace, arrays) {
  for (const value of Object.values(trace)) {
    if (!value?.bdata?.startsWith?.(ARRAY)) continue;
    const found = arrays[Number(value.bdata.slice(ARRAY.length))];
    const { buffer, byteOffset, byteLength } = /** @type {DataView} */ (found);
    value.bdata = buffer ? buffer.slice(byteOffset, byteOffset + byteLength) : found;
  }
}

/**
 * A picture beneath another trace of its panel, as an image of the layout, which the page decodes by itself. Of an
 * image trace Plotly first makes a canvas that answers hover, and waits for it.
 * @param {any} trace its source is a PNG, and it says nothing on hover
 */
export function layoutImage({ source, x0 = 0, y0 = 0, dx = 1, dy = 1, xaxis = "x", yaxis = "y", opacity = 1 }) {
  const start = source.indexOf(",") + 1;
  const bytes = Uint8Array.from(atob(source.slice(start, start + 32)), (letter) => letter.charCodeAt(0));
  const header = new DataView(bytes.buffer);
  const size = { sizex: dx * header.getUint32(16), sizey: dy * header.getUint32(20), sizing: "stretch" };
  return { source, xref: xaxis, yref: yaxis, x: x0 - dx / 2, y: y0 - dy / 2, ...size, layer: "below", opacity };
}

/**
 * Whether another trace is drawn over the picture, so that its panel stays when the picture is none.
 * @param {any} picture
 * @param {any[]} data
 */
function isBeneath(picture, data) {
  const panel = (/** @type {any} */ trace) => `${trace.xaxis ?? "x"} ${trace.yaxis ?? "y"}`;
  return picture.hoverinfo === "skip" && data.some((trace) => trace.type !== "image" && panel(trace) === panel(picture));
}

/**
 * The figure to draw: its pictures put back, its colours those of the page, its panels stacked where it is narrow.
 * @param {string} spec
 * @param {(DataView | string)[]} images
 * @param {{narrow: boolean, text: string, line: string, background: string}} look
 * @param {(DataView | string)[]} [arrays]
 * @returns {{data: any[], layout: any}}
 */
export function resolveFigure(spec, images, look, arrays = []) {
  const { data: traces = [], layout = {} } = spec ? JSON.parse(spec) : {};
  const data = [];
  for (const trace of traces) {
    fill(trace, arrays);
    if (typeof trace.source === "string" && trace.source.startsWith(PLACEHOLDER)) {
      trace.source = pictureUri(images[Number(trace.source.slice(PLACEHOLDER.length))]);
    }
    if (trace.source?.startsWith(PNG) && isBeneath(trace, traces)) (layout.images ??= []).push(layoutImage(trace));
    else data.push(trace);
  }
  if (look.narrow) {
    for (const [path, value] of Object.entries(layout.meta?.narrow ?? {})) setAttribute(layout, path, value);
  }
  setAttribute(layout, "font.color", look.text);
  setAttribute(layout, "paper_bgcolor", "rgba(0,0,0,0)");
  setAttribute(layout, "plot_bgcolor", "rgba(0,0,0,0)");
  setAttribute(layout, "hoverlabel.bgcolor", look.background);
  setAttribute(layout, "hoverlabel.bordercolor", look.line);
  setAttribute(layout, "hoverlabel.font.color", look.text);
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    for (const part of ["gridcolor", "zerolinecolor", "linecolor"]) setAttribute(layout, `${name}.${part}`, look.line);
  }
  delete layout.template;
  return { data, layout };
}

/**
 * What a click says: a point's `customdata`, or of a map of cells (its trace has `meta: "cells"`) the row and column.
 * A histogram's bins (`meta: "bins"`) say nothing: their `customdata` is for hover alone.
 * @param {any[]} points
 * @returns {any[] | undefined}
 */
export function clicked(points) {
  for (const { customdata, data, x, y } of points) {
    if (customdata && data?.meta !== "bins") return Array.from(customdata);
    if (data?.meta === "cells") return ["cell", Math.floor(y + 0.5), Math.floor(x + 0.5)];
  }
  return undefined;
}

/**
 * plotly.js, from this page or from a kernel, whichever answers first. A kernel can be busy for long, and a view can go
 * before it is answered: so each kernel is asked, by the first of its views that wait, and again by the next if that goes.
 * @param {Model} model
 * @param {boolean} live whether a kernel is behind the model
 * @param {AbortSignal} gone when the view goes
 * @param {(packed: DataView) => Promise<any>} [unpacked]
 * @returns {Promise<any>}
 */
export function loadPlotly(model, live, gone, unpacked = unpack) {
  const page = /** @type {any} */ (globalThis);
  if (page.__actwidgetPlotly) return page.__actwidgetPlotly;
  /** @type {{kernel: string | undefined, ask: () => void, take: (found: Promise<any>) => void}[]} */
  const waiting = (page.__actwidgetWaiting ??= []);
  return new Promise((take) => {
    const kernel = live ? model.get("_kernel") : undefined;
    const view = { kernel, take, ask: () => live && model.send({ kind: "plotly.js" }) };
    const asker = () => waiting.find((each) => each.kernel === kernel);
    const receive = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) => {
      if (content?.kind !== "plotly.js" || !waiting.includes(view)) return;
      const found = unpacked(buffers[0]);
      page.__actwidgetPlotly = found;
      found.catch(() => {
        page.__actwidgetPlotly = undefined;
      });
      for (const each of waiting.splice(0)) each.take(found);
    };
    const leave = () => {
      model.off("msg:custom", receive);
      const [asked, at] = [asker() === view, waiting.indexOf(view)];
      if (at >= 0) waiting.splice(at, 1);
      if (asked) asker()?.ask();
    };
    model.on("msg:custom", receive);
    gone.addEventListener("abort", leave);
    waiting.push(view);
    if (asker() === view) view.ask();
  });
}

/**
 * @param {DataView} packed
 * @returns {Promise<any>}
 */
async function unpack(packed) {
  const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
  const stream = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = await new Response(stream).text();
  // As a module the bundle finds no `module`; a page's AMD loader must not take it either.
  const shielded = `const define = undefined, module = undefined, exports = undefined;\n${source}\n`;
  const url = URL.createObjectURL(new Blob([shielded], { type: "text/javascript" }));
  try {
    await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
  return /** @type {any} */ (globalThis).Plotly;
}

/** @param {HTMLElement} element */
function lookOf(element) {
  const style = getComputedStyle(element);
  return {
    narrow: element.clientWidth > 0 && element.clientWidth < NARROW,
    text: style.color,
    line: style.getPropertyValue("--actw-line").trim() || "#d0d7de",
    background: style.getPropertyValue("--actw-background").trim() || "#ffffff",
  };
}

/** @param {{model: Model, el: HTMLElement}} view */
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "actw-plot";
  const waiting = document.createElement("div");
  waiting.className = "actw-plot-waiting";
  waiting.textContent = "Loading Plotly from the kernel…";
  const graph = document.createElement("div");
  graph.className = "actw-plot-graph";
  graph.setAttribute("role", "img");
  box.append(waiting, graph);
  el.append(box);

  /** @type {any} */
  let plotly;
  let scheduled = false;
  const view = new AbortController();
  let shape = "";

  const fail = (/** @type {string} */ what, /** @type {Error} */ error) => {
    waiting.textContent = `Plotly could not ${what}: ${error.message}`;
    waiting.classList.add("actw-plot-failed");
    box.prepend(waiting);
  };

  const draw = () => {
    scheduled = false;
    if (view.signal.aborted || !plotly || !box.isConnected || box.clientWidth === 0) return;
    const look = lookOf(box);
    shape = JSON.stringify([look, box.clientWidth]);
    const { data, layout } = resolveFigure(model.get("_spec"), model.get("_images"), look, model.get("_arrays"));
    layout.width = box.clientWidth;
    plotly.react(graph, data, layout, { displayModeBar: false, responsive: false, doubleClick: false }).then(
      () => waiting.remove(),
      (/** @type {Error} */ error) => fail("draw the figure", error),
    );
    if (!listening) {
      listening = true;
      /** @type {any} */ (graph).on("plotly_click", (/** @type {any} */ event) => {
        const told = clicked(event.points ?? []);
        if (told) model.send({ kind: "click", customdata: told });
      });
    }
  };
  let listening = false;

  // The figure, its pictures and its arrays arrive in one message as several changes: one drawing for all.
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(draw);
  };
  // It comes in a message of its own; a drawing for it would show the last figure once more.
  const relabel = () => graph.setAttribute("aria-label", model.get("alt"));
  const wait = () => box.setAttribute("aria-busy", String(model.get("busy")));
  // A held key repeats faster than figures are drawn: the next one is sent when the last one has been answered.
  let asked = false;
  const answered = () => {
    asked = false;
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (!KEYS.has(event.key) || !model.get("arrows") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (asked && event.repeat) return;
    asked = true;
    model.send({ kind: "key", key: event.key });
  };
  const reachable = () => {
    if (model.get("arrows")) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const reshape = () => {
    if (JSON.stringify([lookOf(box), box.clientWidth]) !== shape) schedule();
  };

  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Figure");
  relabel();
  wait();
  reachable();
  box.addEventListener("keydown", press);
  /** @type {[string, () => void][]} */
  const changes = [
    ["busy", wait],
    ["arrows", reachable],
    ["_spec", answered],
    ["_spec", schedule],
    ["_images", schedule],
    ["_arrays", schedule],
    ["alt", relabel],
  ];
  for (const [name, callback] of changes) model.on(`change:${name}`, callback);
  const size = new ResizeObserver(reshape);
  size.observe(box);
  const theme = new MutationObserver(reshape);
  for (const root of [document.documentElement, document.body]) {
    theme.observe(root, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-jp-theme-name"] });
  }
  // A new theme's style sheet can load after its name is set. The page's icon changes there at each answer of the kernel.
  const restyle = (/** @type {Iterable<any>} */ nodes) => {
    if ([...nodes].some((node) => node.nodeName === "STYLE" || node.rel === "stylesheet")) reshape();
  };
  const head = new MutationObserver((changes) =>
    restyle(changes.flatMap(({ addedNodes, removedNodes }) => [...addedNodes, ...removedNodes])),
  );
  const loaded = (/** @type {Event} */ event) => restyle([event.target]);
  head.observe(document.head, { childList: true });
  document.head.addEventListener("load", loaded, true);

  const live = !el.classList.contains("jupyter-widgets-disconnected");
  loadPlotly(model, live, view.signal).then(
    (found) => {
      plotly = found;
      schedule();
    },
    (error) => fail("be loaded", error),
  );

  return () => {
    view.abort();
    for (const [name, callback] of changes) model.off(`change:${name}`, callback);
    size.disconnect();
    theme.disconnect();
    head.disconnect();
    document.head.removeEventListener("load", loaded, true);
    if (plotly) plotly.purge(graph);
    box.remove();
  };
}

export default { render };

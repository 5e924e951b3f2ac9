// @ts-check
// Puts the tree and the figure of a saved page together: the same modules as in a notebook, with no kernel behind them.

/** @param {string} id */
const stored = (id) => /** @type {HTMLElement} */ (document.getElementById(id)).textContent ?? "";

/**
 * What a widget's module needs of a model.
 * @param {Record<string, any>} values
 */
function modelOf(values) {
  /** @type {Map<string, Set<Function>>} */
  const callbacks = new Map();
  return {
    get: (/** @type {string} */ name) => values[name],
    set(/** @type {string} */ name, /** @type {any} */ value) {
      values[name] = value;
      for (const callback of callbacks.get(`change:${name}`) ?? []) callback();
    },
    save_changes() {},
    send() {},
    on(/** @type {string} */ event, /** @type {Function} */ callback) {
      if (!callbacks.has(event)) callbacks.set(event, new Set());
      callbacks.get(event)?.add(callback);
    },
    off(/** @type {string} */ event, /** @type {Function} */ callback) {
      callbacks.get(event)?.delete(callback);
    },
  };
}

/** @param {string} source */
async function moduleOf(source) {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function unpackPlotly() {
  const packed = Uint8Array.from(atob(stored("actw-plotly")), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  await moduleOf(`const define = undefined, module = undefined, exports = undefined;\n${await new Response(stream).text()}`);
  return /** @type {any} */ (globalThis).Plotly;
}

const { rows, layers, selected } = JSON.parse(stored("actw-data"));
const sources = JSON.parse(stored("actw-modules"));
/** @type {any} */ (globalThis).__actwidgetPlotly = unpackPlotly();
const [treeModule, plotModule] = await Promise.all([moduleOf(sources.tree), moduleOf(sources.plot)]);
/** @param {string} part */
const place = (part) => /** @type {HTMLElement} */ (document.querySelector(`.actw-page .${part}`));

const tree = modelOf({ rows, selected, grouped: true, label: "Layers", marks: {} });
const plot = modelOf({ _spec: "", _images: [], _arrays: [], alt: "" });

function show() {
  const path = tree.get("selected");
  const layer = layers[path];
  place("actw-status").textContent = layer ? "A saved page: nothing is computed here." : `${path} is not stored in this page.`;
  if (!layer) return;
  place("actw-title").innerHTML = layer.title; // made by actwidget, names in it escaped
  place("actw-page-numbers").innerHTML = layer.numbers;
  plot.set("alt", layer.alt);
  plot.set("_images", layer.images);
  plot.set("_arrays", layer.arrays);
  plot.set("_spec", layer.spec);
}

tree.on("change:selected", show);
treeModule.default.render({ model: tree, el: place("actw-side") });
plotModule.default.render({ model: plot, el: place("actw-figure") });
show();

export {};

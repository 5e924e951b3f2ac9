// @ts-check
// plotly.js, once a page for all figures on it, whichever widget, kernel or file it comes from.

import { viewedBytes } from "../shared/bytes.js";

/** @import { WidgetModel } from "../shared/widget_model.js" */

/**
 * A view that waits for plotly.js.
 * @typedef {{kernel: string | undefined, ask: () => void, resolve: (plotly: Promise<any>) => void}} Waiting
 */

/** @type {{__actwidgetPlotly?: Promise<any>, __actwidgetWaiting?: Waiting[]}} Shared by all widgets of the page. */
const page = /** @type {any} */ (globalThis);

/**
 * Makes one plotly.js that of the page, until it turns out to be broken.
 * @param {Promise<any>} plotly
 */
export function sharePlotly(plotly) {
  page.__actwidgetPlotly = plotly;
  plotly.catch(() => {
    page.__actwidgetPlotly = undefined;
  });
}

/**
 * plotly.js, from this page or from a kernel, whichever answers first. A kernel can be busy for long, and a view can be
 * removed before it is answered. So each kernel is asked by the first of its views that wait, and by the next one if that
 * view is removed.
 * @param {WidgetModel} model
 * @param {boolean} hasKernel whether a kernel is behind the model
 * @param {AbortSignal} signal aborted when the view is removed
 * @param {(packed: DataView) => Promise<any>} [unpack]
 * @returns {Promise<any>}
 */
export function loadPlotly(model, hasKernel, signal, unpack = (packed) => unpackPlotly(viewedBytes(packed))) {
  if (page.__actwidgetPlotly) return page.__actwidgetPlotly;
  const waiting = (page.__actwidgetWaiting ??= []);
  return new Promise((resolve) => {
    const kernel = hasKernel ? model.get("_kernel") : undefined;
    const view = { kernel, resolve, ask: () => hasKernel && model.send({ kind: "plotly.js" }) };
    const firstOfKernel = () => waiting.find((each) => each.kernel === kernel);
    const receive = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) => {
      if (content?.kind !== "plotly.js" || !waiting.includes(view)) return;
      const plotly = unpack(buffers[0]);
      sharePlotly(plotly);
      for (const each of waiting.splice(0)) each.resolve(plotly);
    };
    const leave = () => {
      model.off("msg:custom", receive);
      const hasAsked = firstOfKernel() === view;
      if (waiting.includes(view)) waiting.splice(waiting.indexOf(view), 1);
      if (hasAsked) firstOfKernel()?.ask();
    };
    model.on("msg:custom", receive);
    signal.addEventListener("abort", leave);
    waiting.push(view);
    if (firstOfKernel() === view) view.ask();
  });
}

/**
 * @param {Uint8Array<ArrayBuffer>} packed the text of plotly.js, compressed by gzip
 * @returns {Promise<any>} what the page knows as `Plotly`
 */
export async function unpackPlotly(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = await new Response(stream).text();
  // With these names hidden it sets the global `Plotly`; the AMD loader that some pages have would take it otherwise.
  const shielded = `const define = undefined, module = undefined, exports = undefined;\n${source}\n`;
  const url = URL.createObjectURL(new Blob([shielded], { type: "text/javascript" }));
  try {
    await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
  return /** @type {any} */ (globalThis).Plotly;
}

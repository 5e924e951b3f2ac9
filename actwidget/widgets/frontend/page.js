// @ts-check
// A saved page: the tree and the figure of a notebook, with the layers that the page holds in place of a kernel.

import { fromBase64 } from "./shared/base64.js";
import { offlineModel } from "./page/offline_model.js";
import { sharePlotly, unpackPlotly } from "./plot/plotly_loader.js";
import { renderPlot } from "./plot/view.js";
import { renderTree } from "./tree/view.js";

/**
 * The text of a script element of the page, as `html_page` in `page.py` writes it.
 * @param {string} id
 */
function storedText(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id)).textContent ?? "";
}

/**
 * @param {string} className
 * @returns {HTMLElement}
 */
function pagePart(className) {
  return /** @type {HTMLElement} */ (document.querySelector(`.actw-page .${className}`));
}

function showPage() {
  const { rows, layers, selected } = JSON.parse(storedText("actw-data"));
  const tree = offlineModel({ rows, selected, grouped: true, label: "Layers", marks: {} });
  const plot = offlineModel({ _spec: "", _images: [], _arrays: [], alt: "" });
  const showLayer = () => {
    const path = tree.get("selected");
    const layer = layers[path];
    const status = layer ? "A saved page: nothing is computed here." : `${path} is not stored in this page.`;
    pagePart("actw-status").textContent = status;
    if (!layer) return;
    // These two are HTML, written by `html.py`, which escapes every name in them.
    pagePart("actw-title").innerHTML = layer.title;
    pagePart("actw-page-numbers").innerHTML = layer.numbers;
    plot.set("alt", layer.alt);
    plot.set("_images", layer.images);
    plot.set("_arrays", layer.arrays);
    plot.set("_spec", layer.spec);
  };
  sharePlotly(unpackPlotly(fromBase64(storedText("actw-plotly"))));
  // For as long as the page is open, so nothing here is removed.
  tree.on("change:selected", showLayer);
  renderTree({ model: tree, el: pagePart("actw-side") });
  renderPlot({ model: plot, el: pagePart("actw-figure") });
  showLayer();
}

showPage();

// @ts-check
// A saved page: the explorer of a notebook, with the views that the page holds in place of a kernel.

import { renderChoices } from "./choices/view.js";
import { renderInspection } from "./inspection/view.js";
import { offlineModel } from "./page/offline_model.js";
import { followTheme, pagePart, storedText } from "./page/parts.js";
import { stored, tabsOf } from "./page/views.js";
import { sharePlotly, unpackPlotly } from "./plot/plotly_loader.js";
import { renderPlot } from "./plot/view.js";
import { fromBase64 } from "./shared/base64.js";
import { renderTable } from "./table/view.js";
import { renderTree } from "./tree/view.js";

const SCOPES = [
  { name: "layer", label: "Layer" },
  { name: "network", label: "Whole network" },
];

function showPage() {
  const { rows, marks, layers, network, ...first } = JSON.parse(storedText("actw-data"));
  /** @type {Record<string, string>} The view that was last chosen for a layer, and for the whole network. */
  const chosen = {};
  let isUpdating = false;

  const say = (/** @type {string} */ text) => (pagePart("actw-status").textContent = text);
  const click = (/** @type {any} */ { kind, customdata: [target] = [] }) => {
    if (kind === "click" && target in layers) tree.set("selected", target);
    else if (kind === "click") say("The page holds one close-up of each layer. Another one needs the notebook.");
  };
  const act = (/** @type {any} */ { action }) => tabs.set("value", goes[action]);
  /** @type {string[]} Where the buttons of the inspector go. */
  let goes = [];

  const tree = offlineModel({ rows, selected: first.selected, grouped: true, label: "Layers", marks });
  const isNetworkStored = Object.keys(network.views).length > 0;
  const scopes = SCOPES.map((scope) =>
    scope.name === "layer" || isNetworkStored ? scope : { ...scope, reason: "not stored in this page" },
  );
  const scope = offlineModel({ items: scopes, value: first.scope, kind: "segments", label: "What is shown" });
  const tabs = offlineModel({ items: [], value: "", kind: "tabs", label: "Views" });
  const plot = offlineModel({ _spec: "", _images: [], _arrays: [], alt: "" }, click);
  const table = offlineModel({ label: "", selected: null, _columns: [], _values: null });
  const inspection = offlineModel({ content: {} }, act);

  const showView = (/** @type {any} */ view) => {
    pagePart("actw-figure").hidden = Boolean(view.table);
    pagePart("actw-table-box").hidden = !view.table;
    pagePart("actw-layer-numbers").innerHTML = view.numbers;
    goes = view.goes;
    inspection.set("content", view.inspection);
    if (view.table) {
      table.set("label", view.table.label);
      table.set("_columns", view.table.columns);
      table.set("_values", new DataView(fromBase64(view.table.values).buffer));
      return;
    }
    plot.set("alt", view.alt);
    plot.set("_images", view.images);
    plot.set("_arrays", view.arrays);
    plot.set("_spec", view.spec);
  };
  const show = () => {
    if (isUpdating) return;
    const path = tree.get("selected");
    const owner = scope.get("value") === "network" ? network : layers[path];
    say(owner ? "A saved page: nothing is computed here." : `${path} is not stored in this page.`);
    if (!owner) return;
    const name = stored(owner, chosen[scope.get("value")]);
    isUpdating = true;
    // This and the numbers are HTML, written by `html.py`, which escapes every name in them.
    pagePart("actw-title").innerHTML = owner.title;
    tabs.set("items", tabsOf(owner));
    tabs.set("value", name);
    showView(owner.views[name]);
    isUpdating = false;
  };
  const choose = () => {
    if (!isUpdating) chosen[scope.get("value")] = tabs.get("value");
    show();
  };
  const selectLayer = () => {
    scope.set("value", "layer");
    show();
  };
  followTheme();
  sharePlotly(unpackPlotly(fromBase64(storedText("actw-plotly"))));
  // For as long as the page is open, so nothing here is removed.
  tree.on("change:selected", selectLayer);
  scope.on("change:value", show);
  tabs.on("change:value", choose);
  renderTree({ model: tree, el: pagePart("actw-side") });
  renderChoices({ model: scope, el: pagePart("actw-scope") });
  renderChoices({ model: tabs, el: pagePart("actw-views") });
  renderPlot({ model: plot, el: pagePart("actw-figure") });
  renderTable({ model: table, el: pagePart("actw-table-box") });
  renderInspection({ model: inspection, el: pagePart("actw-inspector") });
  show();
}

showPage();

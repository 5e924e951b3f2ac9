// @ts-check
// The figure of a `PlotView` in the page: drawn, drawn anew when it or its place changes, clicked, and moved in by keys.

import { onChange } from "../shared/widget_model.js";
import { appearanceOf, watchAppearance } from "./appearance.js";
import { followPointer } from "./crosshair.js";
import { clickData, resolveFigure } from "./figure.js";
import { createPanning } from "./pan.js";
import { loadPlotly } from "./plotly_loader.js";
import { tellRoom } from "./room.js";
import { createSticky } from "./sticky.js";
import { createThumbnail } from "./thumbnail.js";

/** @import { WidgetModel } from "../shared/widget_model.js" */

const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Escape", "Enter"]);
const OPTIONS = { displayModeBar: false, responsive: false, doubleClick: false };

function createElements() {
  const box = document.createElement("div");
  box.className = "actw-plot";
  const message = document.createElement("div");
  message.className = "actw-plot-waiting";
  message.setAttribute("role", "img");
  message.setAttribute("aria-label", "The figure is loading");
  const graph = document.createElement("div");
  graph.className = "actw-plot-graph";
  graph.setAttribute("role", "img");
  box.append(message, graph);
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Figure");
  return { box, message, graph };
}

/**
 * Sends keys to the kernel while the figure has the focus, if the widget's `arrows` is on.
 * @param {HTMLElement} box
 * @param {WidgetModel} model
 * @param {AbortSignal} signal
 * @param {() => void} updateTabStop
 */
function sendKeys(box, model, signal, updateTabStop) {
  // A held key repeats faster than figures are drawn, so a repetition is sent only once the last key has been answered.
  let isPending = false;
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (!KEYS.has(event.key) || !model.get("arrows") || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (isPending && event.repeat) return;
    isPending = true;
    model.send({ kind: "key", key: event.key });
  };
  const expectNext = () => {
    isPending = false;
  };
  box.addEventListener("keydown", press, { signal });
  onChange(model, signal, { arrows: updateTabStop, _spec: expectNext });
  updateTabStop();
}

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes it
 */
export function renderPlot({ model, el }) {
  const { box, message, graph } = createElements();
  el.append(box);
  const controller = new AbortController();
  const { signal } = controller;
  const sticky = createSticky(box, graph);
  /** @type {any} */
  let plotly;
  let isScheduled = false;
  let isClickable = false;
  let drawnFor = "";

  const panning = createPanning(box, graph, signal, (customdata) => model.send({ kind: "click", customdata }));
  const updateTabStop = () => {
    if (model.get("arrows") || panning.isOn()) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };

  const showThumbnails = createThumbnail(box, model, signal);
  const showError = (/** @type {string} */ action, /** @type {Error} */ error) => {
    message.removeAttribute("role");
    message.removeAttribute("aria-label");
    message.textContent = `Plotly could not ${action}: ${error.message}`;
    message.classList.add("actw-plot-failed");
    box.prepend(message);
  };
  const crosshair = followPointer(box, graph, (cell) => model.send({ kind: "click", customdata: ["cell", ...cell] }), signal);
  const sendClick = (/** @type {{points?: any[]}} */ { points = [] }) => {
    const customdata = clickData(points);
    if (customdata) model.send({ kind: "click", customdata });
  };
  const draw = () => {
    isScheduled = false;
    if (signal.aborted || !plotly || !box.isConnected || box.clientWidth === 0) return;
    const appearance = appearanceOf(box);
    drawnFor = JSON.stringify([appearance, box.clientWidth]);
    const { data, layout } = resolveFigure(model.get("_spec"), model.get("_images"), appearance, model.get("_arrays"));
    layout.width = box.clientWidth;
    const panOptions = panning.prepare(plotly, data, layout);
    updateTabStop();
    plotly.react(graph, data, layout, { ...OPTIONS, ...panOptions }).then(
      () => {
        message.remove();
        crosshair(data, layout);
        sticky.update(layout);
      },
      (/** @type {Error} */ error) => showError("draw the figure", error),
    );
    if (isClickable) return;
    isClickable = true;
    // Plotly gives the graph its `on` with the first drawing, and drops what listens when it purges the graph.
    /** @type {any} */ (graph).on("plotly_click", sendClick);
    showThumbnails(graph);
    panning.listen();
  };
  // The figure, its pictures and its arrays arrive in one message as several changes: one drawing for all.
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(draw);
  };
  const redrawIfChanged = () => {
    room(box.clientWidth, appearanceOf(box).narrow);
    if (JSON.stringify([appearanceOf(box), box.clientWidth]) !== drawnFor) schedule();
  };
  const showAlt = () => graph.setAttribute("aria-label", model.get("alt"));
  const showBusy = () => box.setAttribute("aria-busy", String(model.get("busy")));

  const hasKernel = !el.classList.contains("jupyter-widgets-disconnected");
  const room = tellRoom(model, hasKernel);
  showAlt();
  showBusy();
  sendKeys(box, model, signal, updateTabStop);
  // The alt text arrives in a message of its own; drawing for it would draw the last figure once more.
  onChange(model, signal, { _spec: schedule, _images: schedule, _arrays: schedule, alt: showAlt, busy: showBusy });
  watchAppearance(box, redrawIfChanged, signal);
  loadPlotly(model, hasKernel, signal).then(
    (found) => {
      plotly = found;
      schedule();
    },
    (error) => showError("be loaded", error),
  );
  return () => {
    controller.abort();
    plotly?.purge(graph);
    box.remove();
  };
}

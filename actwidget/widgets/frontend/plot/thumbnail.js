// @ts-check
// A small picture of the sample under the pointer, for traces with `meta: "thumbnails"`: the kernel sends it when it is first
// wanted, as the pictures of some thousand samples would take longer than the figure.

import { pictureSource } from "../shared/base64.js";
import { viewedBytes } from "../shared/bytes.js";

/** @import { WidgetModel } from "../shared/widget_model.js" */

const SIZE = 72;
const GAP = 18;
const MOST = 500;

/**
 * The number of the sample under the pointer, and where that is.
 * @param {any[]} points as in Plotly's `plotly_hover`
 * @returns {number | undefined}
 */
export function hoveredSample(points) {
  const [kind, number] = points.find(({ data }) => data?.meta === "thumbnails")?.customdata ?? [];
  return kind === "scanned" ? number : undefined;
}

/**
 * Where the picture stands: above the pointer and to its left, since Plotly's label is on its right; below it where there is
 * no room, and within the figure.
 * @param {number} x of the pointer in the figure, in pixels
 * @param {number} y
 * @param {number} width of the figure
 */
export function thumbnailPlace(x, y, width) {
  const left = Math.min(Math.max(x - SIZE - GAP, 0), Math.max(width - SIZE, 0));
  return { left, top: y >= SIZE + GAP ? y - SIZE - GAP : y + GAP };
}

/**
 * @param {HTMLElement} box
 * @param {WidgetModel} model
 * @param {AbortSignal} signal
 * @returns {(graph: any) => void} listens to a graph, after Plotly has drawn it for the first time
 */
export function createThumbnail(box, model, signal) {
  const image = document.createElement("img");
  image.className = "actw-plot-thumbnail";
  image.alt = "";
  image.hidden = true;
  box.append(image);
  /** @type {Map<number, string>} an empty text for a sample without a picture */
  const known = new Map();
  /** @type {number | undefined} */
  let wanted;

  const show = () => {
    const source = wanted === undefined ? undefined : known.get(wanted);
    if (source) image.src = source;
    image.hidden = !source;
  };
  const receive = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) => {
    if (content?.kind !== "thumbnail") return;
    if (known.size >= MOST) known.clear();
    const [bytes] = buffers ?? [];
    known.set(content.sample, bytes ? pictureSource(viewedBytes(bytes)) : "");
    show();
  };
  model.on("msg:custom", receive);
  signal.addEventListener("abort", () => model.off("msg:custom", receive));
  const enter = (/** @type {{points?: any[], event?: MouseEvent}} */ { points = [], event }) => {
    wanted = hoveredSample(points);
    if (wanted === undefined || !event) return show();
    const { left, top } = box.getBoundingClientRect();
    const place = thumbnailPlace(event.clientX - left, event.clientY - top, box.clientWidth);
    Object.assign(image.style, { left: `${place.left}px`, top: `${place.top}px` });
    if (!known.has(wanted)) {
      known.set(wanted, "");
      model.send({ kind: "hover", sample: wanted });
    }
    show();
  };
  const leave = () => {
    wanted = undefined;
    show();
  };
  return (graph) => {
    graph.on("plotly_hover", enter);
    graph.on("plotly_unhover", leave);
  };
}

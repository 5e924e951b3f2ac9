// @ts-check
// From the figure as the kernel sends it to the figure that Plotly draws. No function here touches the page.

import { fromBase64, toBase64 } from "../shared/base64.js";
import { copiedBuffer, viewedBytes } from "../shared/bytes.js";
import { darkBase64, darkPicture, darkText } from "./dark.js";

/**
 * What a figure takes from the place where it is shown.
 * @typedef {{narrow: boolean, dark: boolean, text: string, line: string, background: string}} Appearance `narrow`: whether
 *   panels stand below each other; `dark`: whether the page is dark; the rest are colours.
 */

const IMAGE = "actwidget:image:";
const ARRAY = "actwidget:array:";
const PNG = "data:image/png;base64,";

/**
 * Sets one attribute, named by a path as Plotly.relayout takes it: `xaxis.domain`, `annotations[0].x`.
 * @param {any} target
 * @param {string} path
 * @param {any} value
 */
export function setAttributeAt(target, path, value) {
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
 * A PNG as a data URI, the only form that Plotly gives to the page unchanged.
 * @param {DataView | string | undefined} picture from the kernel bytes, in a saved page a data URI already
 * @param {boolean} [dark] whether it is for a dark page
 * @returns {string | undefined}
 */
export function pictureUri(picture, dark = false) {
  if (typeof picture === "object") {
    const bytes = viewedBytes(picture);
    return PNG + toBase64(dark ? darkPicture(bytes) : bytes);
  }
  return dark && picture?.startsWith(PNG) ? PNG + darkBase64(picture.slice(PNG.length)) : picture;
}

/**
 * Puts the large arrays of a trace back in place of their placeholders, each as the bytes that Plotly takes.
 * @param {any} trace
 * @param {(DataView | string)[]} arrays from the kernel bytes, in a saved page base64 already
 */
function restoreArrays(trace, arrays) {
  for (const value of Object.values(trace)) {
    if (!value?.bdata?.startsWith?.(ARRAY)) continue;
    const array = arrays[Number(value.bdata.slice(ARRAY.length))];
    value.bdata = typeof array === "object" ? copiedBuffer(array) : array;
  }
}

/**
 * A picture that lies below another trace of its panel, as an image of the layout, which the browser decodes by itself.
 * For an image trace Plotly would first draw a canvas to answer hovering, and wait for it.
 * @param {any} trace its source is a PNG, and it says nothing on hover
 */
export function layoutImage({ source, x0 = 0, y0 = 0, dx = 1, dy = 1, xaxis = "x", yaxis = "y", opacity = 1 }) {
  const start = source.indexOf(",") + 1;
  // The first 24 bytes of a PNG hold its width and height.
  const header = new DataView(fromBase64(source.slice(start, start + 32)).buffer);
  const size = { sizex: dx * header.getUint32(16), sizey: dy * header.getUint32(20), sizing: "stretch" };
  return { source, xref: xaxis, yref: yaxis, x: x0 - dx / 2, y: y0 - dy / 2, ...size, layer: "below", opacity };
}

/**
 * Whether another trace is drawn over the picture, so that its panel is still drawn when the picture is no trace.
 * @param {any} picture
 * @param {any[]} traces
 */
function isBelowAnother(picture, traces) {
  const panel = (/** @type {any} */ trace) => `${trace.xaxis ?? "x"} ${trace.yaxis ?? "y"}`;
  return (
    picture.hoverinfo === "skip" && traces.some((trace) => trace.type !== "image" && panel(trace) === panel(picture))
  );
}

/**
 * The figure to draw: with its pictures and arrays, in the colours of the page, its panels stacked where it is narrow.
 * @param {string} spec the figure as JSON, with placeholders for its pictures and large arrays; empty for no figure
 * @param {(DataView | string)[]} images
 * @param {Appearance} appearance
 * @param {(DataView | string)[]} [arrays]
 * @returns {{data: any[], layout: any}}
 */
export function resolveFigure(spec, images, appearance, arrays = []) {
  const { narrow, dark, text, line, background } = appearance;
  const { data: traces = [], layout = {} } = spec ? JSON.parse(dark ? darkText(spec) : spec) : {};
  const data = [];
  for (const trace of traces) {
    restoreArrays(trace, arrays);
    if (typeof trace.source === "string" && trace.source.startsWith(IMAGE)) {
      trace.source = pictureUri(images[Number(trace.source.slice(IMAGE.length))], dark);
    }
    if (trace.source?.startsWith(PNG) && isBelowAnother(trace, traces)) (layout.images ??= []).push(layoutImage(trace));
    else data.push(trace);
  }
  const { narrow: stacked = {}, dark: darkened = {} } = layout.meta ?? {};
  for (const [path, value] of Object.entries({ ...(narrow && stacked), ...(dark && darkened) })) {
    setAttributeAt(layout, path, value);
  }
  setAttributeAt(layout, "font.color", text);
  setAttributeAt(layout, "paper_bgcolor", "rgba(0,0,0,0)");
  setAttributeAt(layout, "plot_bgcolor", "rgba(0,0,0,0)");
  setAttributeAt(layout, "hoverlabel.bgcolor", background);
  setAttributeAt(layout, "hoverlabel.bordercolor", line);
  setAttributeAt(layout, "hoverlabel.font.color", text);
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    for (const part of ["gridcolor", "zerolinecolor", "linecolor"]) setAttributeAt(layout, `${name}.${part}`, line);
  }
  delete layout.template;
  return { data, layout };
}

/**
 * What the kernel is told of a click: a point's `customdata`, or in a map of cells (its trace has `meta: "cells"`) the
 * row and column. A click on a histogram's bin (`meta: "bins"`) is not told: its `customdata` is for hovering alone.
 * @param {any[]} points as in Plotly's `plotly_click`
 * @returns {any[] | undefined}
 */
export function clickData(points) {
  for (const { customdata, data, x, y } of points) {
    if (customdata && data?.meta !== "bins") return Array.from(customdata);
    if (data?.meta === "cells") return ["cell", Math.floor(y + 0.5), Math.floor(x + 0.5)];
  }
  return undefined;
}

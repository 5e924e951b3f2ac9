// @ts-check
// Files sent to the kernel in parts: Jupyter refuses messages of more than 10 MB.

/** @import { WidgetModel } from "../shared/widget_model.js" */

const PART = 1_000_000;
/** What the kernel takes at most: `MOST_BYTES` in `samples.py`. */
export const MOST_BYTES = 50_000_000;

/**
 * @param {WidgetModel} model
 * @param {File} file
 */
export async function sendFile(model, file) {
  const data = await file.arrayBuffer();
  const parts = Math.max(1, Math.ceil(data.byteLength / PART));
  for (let part = 0; part < parts; part += 1) {
    const bytes = data.slice(part * PART, (part + 1) * PART);
    model.send({ kind: "upload", name: file.name, part, parts }, undefined, [bytes]);
  }
}

// @ts-check
// The room that a figure has on the page, which the kernel is told so that a grid of tiles fills it.

/** @import { WidgetModel } from "../shared/widget_model.js" */

const HEIGHT = 480;
const NARROW_HEIGHT = 600;
/** In pixels: a width that changes by less is not told. */
const STEP = 16;

/**
 * The room in steps.
 * @param {number} width in pixels
 * @param {boolean} narrow
 * @returns {[number, number]}
 */
export function roomOf(width, narrow) {
  return [Math.max(Math.floor(width / STEP), 1) * STEP, narrow ? NARROW_HEIGHT : HEIGHT];
}

/**
 * Each view tells its own room when that changes, whatever the others of the same figure tell: so two never answer each other.
 * @param {WidgetModel} model
 * @param {boolean} hasKernel
 * @returns {(width: number, narrow: boolean) => void}
 */
export function tellRoom(model, hasKernel) {
  let told = "";
  return (width, narrow) => {
    if (!hasKernel || width === 0) return;
    const room = roomOf(width, narrow);
    if (String(room) === told) return;
    told = String(room);
    model.set("_room", room);
    model.save_changes();
  };
}

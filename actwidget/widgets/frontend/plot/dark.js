// @ts-check
// What of a figure is different on a dark page: the middle of the diverging scale, and coloured text.

import { fromBase64, toBase64 } from "../shared/base64.js";

// In the pictures that `palette_png.py` writes, each part has its place. A part is its length (4 bytes), its name (4), its
// content, and a checksum (4) of its name and content.
const PALETTE = { name: "PLTE", at: 33 };
const DARK = { name: "daRk", at: 813 };
const REPLACED = 3 * 256 + 4;
/** A whole number of groups of three bytes, which are four letters of base64. */
const HEAD = 1599;

/** The colours of text on a light page, of which the contrast on a dark one would be too low, and those instead. */
const TEXT = { "#1a6fe8": "#6cb6ff", "#c4480d": "#ff9d57" };

/** @type {Map<string, boolean>} */
const known = new Map();

/**
 * Whether a colour is darker than a middle grey.
 * @param {string} color in any form that a style sheet takes
 */
export function isDark(color) {
  if (!known.has(color)) known.set(color, luminance(color) < 0.18);
  return /** @type {boolean} */ (known.get(color));
}

/**
 * The relative luminance of a colour, by https://www.w3.org/TR/WCAG22/#dfn-relative-luminance.
 * @param {string} color
 */
function luminance(color) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d");
  if (!context) return 1;
  for (const fill of ["#ffffff", color]) {
    context.fillStyle = fill;
    context.fillRect(0, 0, 1, 1);
  }
  const linear = [...context.getImageData(0, 0, 1, 1).data].map((level) => {
    const share = level / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

/**
 * A picture with its palette for dark pages, if it brings one; else the same picture.
 * @param {Uint8Array} png
 * @returns {Uint8Array}
 */
export function darkPicture(png) {
  const isThere = (/** @type {{name: string, at: number}} */ { name, at }) =>
    String.fromCharCode(...png.subarray(at + 4, at + 8)) === name;
  if (![PALETTE, DARK].every(isThere)) return png;
  const changed = png.slice();
  changed.copyWithin(PALETTE.at + 8, DARK.at + 8, DARK.at + 8 + REPLACED);
  return changed;
}

/**
 * The same for a picture in base64; all that changes is in its first bytes.
 * @param {string} text
 */
export function darkBase64(text) {
  const letters = (HEAD / 3) * 4;
  if (text.length < letters) return text;
  return toBase64(darkPicture(fromBase64(text.slice(0, letters)))) + text.slice(letters);
}

/**
 * A figure's JSON with its coloured text in the colours of a dark page.
 * @param {string} spec
 */
export function darkText(spec) {
  return spec.replace(/color:(#[0-9a-f]{6})/g, (found, color) => {
    const other = /** @type {Record<string, string>} */ (TEXT)[color];
    return other ? `color:${other}` : found;
  });
}

// @ts-check
// Which samples are in sight, and which one a key selects.

const MOST = 12;
/** In pixels, each with its gap: a button that turns the pages, and "+". */
const TURNER = 24;
const ADD = 32;

/**
 * How many of the samples are in sight.
 * @param {number} width of the strip in pixels
 * @param {number} item the width of an item with its gap
 * @param {number} count of samples
 */
export function sizeOfWindow(width, item, count) {
  const alone = Math.min(Math.floor((width - ADD) / item), MOST);
  return count <= alone ? count : Math.max(1, Math.min(Math.floor((width - ADD - 2 * TURNER) / item), MOST));
}

/**
 * The first sample in sight, as close to the wanted one as there are samples for.
 * @param {number} first
 * @param {number} size of the window
 * @param {number} count of samples
 */
export function clampedFirst(first, size, count) {
  return Math.max(0, Math.min(first, count - size));
}

/**
 * The first sample in sight when one has to be seen.
 * @param {number} first in sight now
 * @param {number} size of the window
 * @param {number} wanted
 */
export function firstWith(first, size, wanted) {
  if (wanted < first) return wanted;
  return wanted >= first + size ? wanted - size + 1 : first;
}

/**
 * The sample that a key selects; `undefined` for keys that select none.
 * @param {string} key
 * @param {number} selected
 * @param {number} count of samples
 * @param {number} size of the window
 * @returns {number | undefined}
 */
export function sampleByKey(key, selected, count, size) {
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: selected - 1,
    ArrowRight: selected + 1,
    ArrowUp: selected - 1,
    ArrowDown: selected + 1,
    PageUp: selected - size,
    PageDown: selected + size,
    Home: 0,
    End: count - 1,
  };
  return Object.hasOwn(targets, key) ? Math.max(0, Math.min(targets[key], count - 1)) : undefined;
}

/**
 * The number that digits typed one after the other stand for; a digit that would go beyond the samples begins another one.
 * @param {string} typed the digits so far
 * @param {string} key the next one
 * @param {number} count of samples
 * @returns {string} the digits of a sample; `""` for none
 */
export function typedNumber(typed, key, count) {
  return [typed + key, key].find((digits) => Number(digits) < count) ?? "";
}

/**
 * The samples from the first to the last in sight that the page does not know; `null` if it knows all.
 * @param {number} first
 * @param {number} size of the window
 * @param {(sample: number) => boolean} isKnown
 * @returns {{start: number, stop: number} | null}
 */
export function unknownRange(first, size, isKnown) {
  const unknown = Array.from({ length: size }, (_, place) => first + place).filter((sample) => !isKnown(sample));
  return unknown.length ? { start: unknown[0], stop: unknown[unknown.length - 1] + 1 } : null;
}

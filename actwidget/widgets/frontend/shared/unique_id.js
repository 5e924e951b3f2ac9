// @ts-check

/**
 * An id that no other element of the page has. A counter would not do: each widget loads a module of its own.
 * @param {string} prefix
 * @returns {string}
 */
export function uniqueId(prefix) {
  return `${prefix}-${Math.random().toString(36).slice(2)}`;
}

// @ts-check

/**
 * A function that acts at once, and from then on at most once in each pause, the last time with the last value given.
 * @template T
 * @param {(value: T) => void} act
 * @param {number} pause in milliseconds
 * @returns {(value: T) => void}
 */
export function throttled(act, pause) {
  /** @type {T[]} */
  let waiting = [];
  let isPausing = false;
  const next = () => {
    const last = waiting.pop();
    isPausing = last !== undefined;
    if (last === undefined) return;
    waiting = [];
    setTimeout(next, pause);
    act(last);
  };
  return (value) => {
    waiting.push(value);
    if (!isPausing) next();
  };
}

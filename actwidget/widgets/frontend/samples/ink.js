// @ts-check
// Ink on a small grid of pixels, and drawings sent one at a time.

/**
 * The radius of the pen in pixels: on 28 pixels a line is as wide as the digits of MNIST.
 * @param {number} width
 * @param {number} height
 */
export function penRadius(width, height) {
  return Math.max(0.7, Math.min(width, height) / 24);
}

/**
 * Adds a line to the ink, with smooth edges; the middle of the first pixel is at (0.5, 0.5).
 * @param {Uint8ClampedArray} ink row by row, 0 to 255; it is changed
 * @param {number} width of the grid
 * @param {[number, number]} from x and y
 * @param {[number, number]} to
 * @param {number} radius
 */
export function addLine(ink, width, from, to, radius) {
  const [x0, y0] = from;
  const [dx, dy] = [to[0] - x0, to[1] - y0];
  const length = dx * dx + dy * dy;
  for (let place = 0; place < ink.length; place += 1) {
    const [x, y] = [(place % width) + 0.5 - x0, Math.floor(place / width) + 0.5 - y0];
    const along = length ? Math.max(0, Math.min(1, (x * dx + y * dy) / length)) : 0;
    const distance = Math.hypot(x - along * dx, y - along * dy);
    ink[place] = Math.max(ink[place], 255 * Math.max(0, Math.min(1, radius + 0.5 - distance)));
  }
}

/**
 * Sends what changes with at most one message unanswered: what changed meanwhile is sent with the answer, as it is then.
 * @param {() => void} send
 * @param {(isBusy: boolean) => void} [tell] is told whether something is unanswered
 */
export function oneAtATime(send, tell = () => {}) {
  let isUnanswered = false;
  let hasChanged = false;
  const sendNext = () => {
    isUnanswered = hasChanged;
    tell(isUnanswered);
    if (!hasChanged) return;
    hasChanged = false;
    send();
  };
  return {
    change() {
      hasChanged = true;
      if (!isUnanswered) sendNext();
    },
    answer: sendNext,
  };
}

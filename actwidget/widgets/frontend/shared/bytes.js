// @ts-check
// Bytes that the kernel has sent, which anywidget gives as a view into the whole message.

/**
 * @param {DataView} view
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function viewedBytes({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength);
}

/**
 * A buffer of its own: numbers of several bytes can't be read in place, since a message puts them at any offset.
 * @param {DataView} view
 * @returns {ArrayBuffer}
 */
export function copiedBuffer({ buffer, byteOffset, byteLength }) {
  return /** @type {ArrayBuffer} */ (buffer.slice(byteOffset, byteOffset + byteLength));
}

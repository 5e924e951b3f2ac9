// @ts-check
/**
 * The part of a widget that a view sees: its traits, and messages from and to the kernel. anywidget gives one to `render`.
 *
 * @typedef {{
 *   get(name: string): any,
 *   set(name: string, value: any): void,
 *   save_changes(): void,
 *   send(content: object, callbacks?: object, buffers?: ArrayBuffer[]): void,
 *   on(event: string, callback: (...values: any[]) => void): void,
 *   off(event: string, callback: (...values: any[]) => void): void,
 * }} WidgetModel
 */

/**
 * Calls back when traits change, until the view is removed.
 * @param {WidgetModel} model
 * @param {AbortSignal} signal aborted when the view is removed
 * @param {Record<string, () => void>} callbacks by the name of the trait
 */
export function onChange(model, signal, callbacks) {
  for (const [name, callback] of Object.entries(callbacks)) {
    model.on(`change:${name}`, callback);
    signal.addEventListener("abort", () => model.off(`change:${name}`, callback));
  }
}

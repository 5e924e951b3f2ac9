// @ts-check

/** @import { WidgetModel } from "../shared/widget_model.js" */

/**
 * A model with no kernel behind it, for a saved page: what is set stays in the page, and so is what is sent.
 * @param {Record<string, any>} values the value of each trait
 * @param {(content: any) => void} [receive] gets what is sent
 * @returns {WidgetModel}
 */
export function offlineModel(values, receive = () => {}) {
  /** @type {Map<string, Set<() => void>>} */
  const callbacks = new Map();
  return {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      for (const callback of callbacks.get(`change:${name}`) ?? []) callback();
    },
    save_changes() {},
    send: receive,
    on(event, callback) {
      if (!callbacks.has(event)) callbacks.set(event, new Set());
      callbacks.get(event)?.add(callback);
    },
    off(event, callback) {
      callbacks.get(event)?.delete(callback);
    },
  };
}

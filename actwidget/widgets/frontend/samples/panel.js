// @ts-check
// What opens below the strip: a form for another input, and messages on the last one.

import { uniqueId } from "../shared/unique_id.js";
import { onChange } from "../shared/widget_model.js";
import { drawingPad } from "./pad.js";
import { MOST_BYTES, sendFile } from "./upload.js";

/**
 * @import { WidgetModel } from "../shared/widget_model.js"
 * @import { Pad } from "./pad.js"
 */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} name of its class
 * @param {string} text
 */
function made(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

/** The panel of one view. */
export class Panel {
  /** @type {Pad | null} */
  #pad = null;
  #isOpen = false;
  /** The strip's own message, on a file that was not sent. */
  #refusal = "";

  /**
   * @param {WidgetModel} model
   * @param {HTMLElement} root the strip, below which it opens
   * @param {HTMLButtonElement} opener
   * @param {AbortSignal} signal
   */
  constructor(model, root, opener, signal) {
    this.model = model;
    this.root = root;
    this.opener = opener;
    this.signal = signal;
    this.el = made("div", "actw-samples-panel");
    this.message = made("div", "actw-samples-message");
    this.form = made("div", "actw-samples-form");
    this.form.id = uniqueId("actw-samples-form");
    this.form.setAttribute("role", "dialog");
    this.form.setAttribute("aria-label", "Another input");
    this.form.hidden = true;
    this.el.append(this.message, this.form);
    this.el.hidden = true;
    // The top layer of the page, which no box cuts off; where a browser has none, above what follows.
    if ("popover" in this.el) this.el.popover = "manual";
    opener.setAttribute("aria-expanded", "false");
    opener.setAttribute("aria-haspopup", "dialog");
    root.append(this.el);
    opener.addEventListener("click", () => this.toggle(), { signal });
    root.addEventListener("keydown", (event) => this.#press(event), { signal });
    const follow = () => this.#place();
    globalThis.addEventListener("scroll", follow, { capture: true, passive: true, signal });
    globalThis.addEventListener("resize", follow, { signal });
    const show = () => {
      this.#refusal = "";
      this.showMessage();
    };
    const renew = () => this.#fill();
    onChange(model, signal, { error: show, said: show, pad: renew, takes_pictures: renew, advice: renew });
    this.showMessage();
  }

  toggle(isOpen = this.form.hidden) {
    if (isOpen && !this.form.children.length) this.#fill();
    if (isOpen) this.#pad?.restart();
    this.form.hidden = !isOpen;
    this.opener.setAttribute("aria-expanded", String(isOpen));
    this.#update();
    const first = /** @type {HTMLElement | null} */ (this.form.querySelector("input, canvas, button"));
    if (isOpen) first?.focus({ preventScroll: true });
  }

  /** @param {File} file */
  async take(file) {
    if (!this.model.get("takes_pictures")) return this.toggle(true);
    if (file.size > MOST_BYTES) {
      const size = (file.size / 1e6).toFixed(0);
      this.#refusal = `${file.name} takes ${size} MB; at most ${MOST_BYTES / 1e6} MB are taken. Save it smaller.`;
      return this.showMessage();
    }
    this.root.setAttribute("aria-busy", "true");
    await sendFile(this.model, file);
  }

  /** The kernel has answered. @param {{kind: string, pad?: string}} content */
  answer({ kind, pad = "" }) {
    if (kind === "drawn") this.#pad?.answered(pad);
    if (kind !== "uploaded") return;
    this.root.removeAttribute("aria-busy");
    this.#refusal = "";
    this.showMessage();
    if (this.model.get("error")) return;
    if (this.el.contains(document.activeElement)) this.opener.focus();
    this.toggle(false);
  }

  showMessage() {
    const error = this.#refusal || this.model.get("error");
    const text = error || this.model.get("said");
    if (!text) this.message.replaceChildren();
    else {
      const words = made("p", error ? "actw-samples-error" : "actw-samples-said", text);
      if (error) words.setAttribute("role", "alert");
      else words.setAttribute("aria-live", "polite");
      const close = made("button", "actw-samples-close", "✕");
      close.type = "button";
      close.setAttribute("aria-label", "Close the message");
      close.addEventListener("click", () => this.dismiss());
      this.message.replaceChildren(words, close);
    }
    this.#update();
  }

  dismiss() {
    const hadFocus = this.message.contains(document.activeElement);
    this.message.replaceChildren();
    this.#update();
    if (hadFocus) this.opener.focus();
  }

  #fill() {
    const { form, model, signal } = this;
    const look = model.get("pad");
    const takesPictures = model.get("takes_pictures");
    const close = made("button", "actw-samples-close", "✕");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => this.#close(), { signal });
    form.replaceChildren(made("strong", "actw-samples-title", "Another input"), close);
    if (takesPictures) form.append(this.#upload());
    this.#pad = null;
    if (look.length) {
      const [height, width, isDark] = look;
      const send = (/** @type {Uint8ClampedArray<ArrayBuffer>} */ ink, /** @type {string} */ pad) =>
        model.send({ kind: "draw", pad }, undefined, [ink.buffer]);
      this.#pad = drawingPad({ height, width, isDark }, send, signal);
      form.append(this.#pad.el);
    }
    form.append(made("p", "actw-samples-advice", model.get("advice")));
    this.#place();
  }

  #upload() {
    const label = made("label", "actw-samples-upload", "Upload a picture, or drop one on the samples");
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "image/*";
    const take = () => {
      const file = input.files?.[0];
      if (file) this.take(file);
      input.value = ""; // so that the same file can be chosen again
    };
    input.addEventListener("change", take, { signal: this.signal });
    label.append(input);
    return label;
  }

  #close() {
    const hadFocus = this.el.contains(document.activeElement);
    this.toggle(false);
    if (hadFocus) this.opener.focus();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key !== "Escape" || !this.#isOpen) return;
    event.preventDefault();
    event.stopPropagation();
    this.dismiss();
    this.#close();
  }

  #update() {
    const isOpen = !this.form.hidden || this.message.childElementCount > 0;
    if (isOpen !== this.#isOpen) {
      this.#isOpen = isOpen;
      this.el.hidden = !isOpen;
      if ("popover" in this.el) {
        if (isOpen && this.el.isConnected) this.el.showPopover();
        else if (this.el.matches(":popover-open")) this.el.hidePopover();
      }
    }
    this.#place();
  }

  #place() {
    if (!this.#isOpen) return;
    // As far to the right as the page goes: the layers stay in sight while one draws.
    const { left, bottom } = this.opener.getBoundingClientRect();
    const room = document.documentElement.clientWidth - this.el.offsetWidth - 4;
    this.el.style.left = `${Math.max(Math.min(left, room), 4)}px`;
    this.el.style.top = `${bottom + 4}px`;
  }
}

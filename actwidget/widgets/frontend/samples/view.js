// @ts-check
// The strip in the page: a list of which some items are in sight, pages of them, and "+".

import { pictureSource } from "../shared/base64.js";
import { viewedBytes } from "../shared/bytes.js";
import { onChange } from "../shared/widget_model.js";
import { Panel } from "./panel.js";
import { clampedFirst, firstWith, sampleByKey, sizeOfWindow, typedNumber, unknownRange } from "./window.js";

/**
 * @import { WidgetModel } from "../shared/widget_model.js"
 * @typedef {{tip: string, text: string, source: string}} SampleItem
 */

/** @type {Record<string, number>} The width of an item with its gap, as `samples.css` has it. */
const WIDTHS = { picture: 40, number: 40, text: 100 };
/** How many milliseconds may lie between the digits of one number. */
const TYPING = 1000;

/**
 * @param {string} name
 * @param {string} label
 * @param {string} sign
 */
function stripButton(name, label, sign) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `actw-samples-${name}`;
  button.title = label;
  button.setAttribute("aria-label", label);
  button.textContent = sign;
  return button;
}

/** One view of the strip. */
class StripView {
  /** @type {Map<number, SampleItem>} what the kernel has sent */
  #items = new Map();
  /** @type {Set<number>} what it has been asked for */
  #asked = new Set();
  #first = 0;
  #size = 0;
  #typed = "";
  #typedAt = 0;

  /**
   * @param {WidgetModel} model
   * @param {AbortSignal} signal
   */
  constructor(model, signal) {
    this.model = model;
    this.root = document.createElement("div");
    this.root.className = "actw-samples";
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Samples");
    this.list = document.createElement("div");
    this.list.className = "actw-samples-list";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Sample");
    this.list.setAttribute("aria-orientation", "horizontal");
    this.back = stripButton("turn", "Samples before these, by keyboard Page Up", "‹");
    this.on = stripButton("turn", "Samples after these, by keyboard Page Down or a typed number", "›");
    // The list is the only stop of the Tab key here: its keys do more than these two.
    this.back.tabIndex = this.on.tabIndex = -1;
    this.add = stripButton("add", "Another input", "+");
    this.root.append(this.back, this.list, this.on, this.add);
    this.panel = new Panel(model, this.root, this.add, signal);
  }

  get #count() {
    return this.model.get("count");
  }

  /** Another batch: nothing that is known holds any more. */
  forget() {
    this.#items.clear();
    this.#asked.clear();
    this.reveal();
  }

  /**
   * @param {{kind: string, pad?: string, version?: number, start?: number, items?: [string, string][]}} content
   * @param {DataView[]} buffers
   */
  receive(content, buffers) {
    const { kind, version, start = 0, items = [] } = content;
    if (kind !== "items") return this.panel.answer(content);
    if (version !== this.model.get("_version")) return;
    items.forEach(([tip, text], place) => {
      this.#items.set(start + place, { tip, text, source: pictureSource(viewedBytes(buffers[place])) });
    });
    this.show();
  }

  /** Brings the selected sample into sight, and shows what is in sight. */
  reveal() {
    this.#measure();
    this.#first = firstWith(this.#first, this.#size, this.model.get("value"));
    this.show();
  }

  /** @param {number} by pages */
  turn(by) {
    this.#first += by * this.#size;
    this.show();
  }

  show() {
    const count = this.#count;
    this.#measure();
    const [first, size] = [this.#first, this.#size];
    const hadFocus = this.list.contains(document.activeElement);
    const options = Array.from({ length: size }, (_, place) => this.#option(first + place, this.list.children[place]));
    this.list.replaceChildren(...options);
    this.#markSelected(hadFocus);
    // A button that can turn no further is only marked as such: it would lose the focus.
    for (const [button, isEnd] of /** @type {const} */ ([[this.back, first === 0], [this.on, first + size >= count]])) {
      button.hidden = size >= count;
      button.setAttribute("aria-disabled", String(isEnd));
    }
    this.#ask();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const option = /** @type {HTMLElement} */ (event.target).closest("[data-sample]");
    if (!(option instanceof HTMLElement)) return;
    const own = Number(option.dataset.sample);
    const isChoice = event.key === "Enter" || event.key === " ";
    const target = isChoice ? own : (this.#type(event) ?? sampleByKey(event.key, own, this.#count, this.#size));
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.select(target);
    this.#first = firstWith(this.#first, this.#size, target);
    this.show();
    this.#focus(target);
  }

  /**
   * The sample whose number is being typed; `undefined` for keys that are no digits.
   * @param {KeyboardEvent} event
   */
  #type({ key, timeStamp }) {
    if (!/^[0-9]$/.test(key)) return undefined;
    const isNext = timeStamp - this.#typedAt < TYPING;
    this.#typed = typedNumber(isNext ? this.#typed : "", key, this.#count);
    this.#typedAt = timeStamp;
    return this.#typed ? Number(this.#typed) : undefined;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const option = /** @type {HTMLElement} */ (event.target).closest("[data-sample]");
    if (!(option instanceof HTMLElement)) return;
    this.select(Number(option.dataset.sample));
    this.#focus(Number(option.dataset.sample));
  }

  /** @param {number} sample */
  select(sample) {
    this.model.set("value", sample);
    this.model.save_changes();
  }

  #measure() {
    const width = this.root.clientWidth;
    if (width) this.#size = sizeOfWindow(width, WIDTHS[this.model.get("kind")], this.#count);
    this.root.dataset.kind = this.model.get("kind");
    this.#first = clampedFirst(this.#first, this.#size, this.#count);
  }

  /** Asks for what is in sight and not known. */
  #ask() {
    const range = unknownRange(this.#first, this.#size, (sample) => this.#asked.has(sample));
    if (!range) return;
    for (let sample = range.start; sample < range.stop; sample += 1) this.#asked.add(sample);
    this.model.send({ kind: "window", ...range });
  }

  /**
   * @param {number} sample
   * @param {Element | undefined} old an element that is there already
   */
  #option(sample, old) {
    const item = this.#items.get(sample);
    const option = old instanceof HTMLElement ? old : document.createElement("div");
    const label = item?.tip || `sample ${sample}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-label", label);
    option.setAttribute("aria-posinset", String(sample + 1));
    option.setAttribute("aria-setsize", String(this.#count));
    option.title = label;
    option.dataset.sample = String(sample);
    const text = item?.text || String(sample);
    if (!item?.source) {
      if (option.textContent !== text || option.firstElementChild?.tagName === "IMG") option.replaceChildren(wordsOf(text));
    } else if (option.querySelector("img")?.getAttribute("src") !== item.source) {
      const image = document.createElement("img");
      image.alt = "";
      image.src = item.source;
      image.draggable = false;
      option.replaceChildren(image);
    }
    return option;
  }

  /** @param {boolean} hadFocus whether an item has just had the focus */
  #markSelected(hadFocus) {
    const selected = this.model.get("value");
    const options = /** @type {HTMLElement[]} */ ([...this.list.children]);
    const isInSight = options.some((option) => Number(option.dataset.sample) === selected);
    options.forEach((option, place) => {
      const isSelected = Number(option.dataset.sample) === selected;
      option.setAttribute("aria-selected", String(isSelected));
      option.tabIndex = isSelected || (!isInSight && place === 0) ? 0 : -1;
    });
    if (hadFocus && !this.list.contains(document.activeElement)) this.#focus(selected);
  }

  /** @param {number} sample */
  #focus(sample) {
    const option = this.list.querySelector(`[data-sample="${sample}"]`);
    if (option instanceof HTMLElement) option.focus({ preventScroll: true });
  }
}

/** @param {string} text */
function wordsOf(text) {
  const words = document.createElement("span");
  words.textContent = text;
  return words;
}

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes it
 */
export function renderSamples({ model, el }) {
  const controller = new AbortController();
  const { signal } = controller;
  const view = new StripView(model, signal);
  const { root, list } = view;
  el.append(root);
  const hold = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    root.classList.toggle("actw-samples-over", event.type === "dragover");
    const file = event.type === "drop" ? event.dataTransfer.files[0] : undefined;
    if (file) view.panel.take(file);
  };
  list.addEventListener("click", (event) => view.click(event), { signal });
  list.addEventListener("keydown", (event) => view.press(event), { signal });
  view.back.addEventListener("click", () => view.turn(-1), { signal });
  view.on.addEventListener("click", () => view.turn(1), { signal });
  for (const name of /** @type {const} */ (["dragover", "dragleave", "drop"])) root.addEventListener(name, hold, { signal });
  onChange(model, signal, {
    value: () => view.reveal(),
    count: () => view.reveal(),
    kind: () => view.show(),
    _version: () => view.forget(),
  });
  const receive = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) => view.receive(content, buffers);
  model.on("msg:custom", receive);
  signal.addEventListener("abort", () => model.off("msg:custom", receive));
  // Deferred, since what changes the size of an observed element while it is told of is an error of the page.
  const observer = new ResizeObserver(() => requestAnimationFrame(() => signal.aborted || view.reveal()));
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect());
  view.reveal();
  return () => {
    controller.abort();
    root.remove();
  };
}

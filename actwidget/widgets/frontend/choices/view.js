// @ts-check

import { uniqueId } from "../shared/unique_id.js";
import { onChange } from "../shared/widget_model.js";

/**
 * @import { WidgetModel } from "../shared/widget_model.js"
 * @typedef {{name: string, label: string, tip?: string, reason?: string}} Item `reason`: why it can't be chosen
 */

/** The role of the row and of what is in it, and what says that one is chosen. */
const ROLES = {
  tabs: { row: "tablist", item: "tab", chosen: "aria-selected" },
  segments: { row: "radiogroup", item: "radio", chosen: "aria-checked" },
};

/**
 * Where a key moves the focus.
 * @param {string} key
 * @param {number} index of the item that has the focus
 * @param {number} count
 * @returns {number | undefined}
 */
export function movedTo(key, index, count) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  if (key in steps) return (index + steps[/** @type {keyof typeof steps} */ (key)] + count) % count;
  return { Home: 0, End: count - 1 }[key];
}

/** In pixels: so much of what stands beside an item is in sight too, which shows that there is more. */
const BESIDE = 24;

/**
 * How far a row is scrolled so that an item is in sight.
 * @param {number} scrolled how far it is now
 * @param {number} width of the row
 * @param {number} left of the item, from the start of the row
 * @param {number} right
 * @returns {number}
 */
export function scrolledTo(scrolled, width, left, right) {
  return Math.max(Math.min(scrolled, left - BESIDE), right + BESIDE - width, 0);
}

/**
 * @param {Item} item
 * @param {typeof ROLES.tabs} roles
 * @returns {HTMLElement[]} a button and, if it can't be chosen, the reason, which screen readers read with the button
 */
function itemElements({ name, label, tip, reason }, roles) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "actw-choice";
  button.textContent = label;
  button.dataset.view = name;
  button.setAttribute("role", roles.item);
  button.title = reason ?? tip ?? "";
  if (reason === undefined) return [button];
  // A button that really is disabled could not be focused, and its reason not be read.
  button.setAttribute("aria-disabled", "true");
  const text = document.createElement("span");
  text.hidden = true;
  text.textContent = reason;
  text.id = uniqueId("actw-reason");
  button.setAttribute("aria-describedby", text.id);
  return [button, text];
}

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes it
 */
export function renderChoices({ model, el }) {
  const controller = new AbortController();
  const { signal } = controller;
  const kind = /** @type {keyof typeof ROLES} */ (model.get("kind") ?? "tabs");
  const roles = ROLES[kind];
  const row = document.createElement("div");
  row.className = `actw-choices actw-choices-${kind}`;
  row.setAttribute("role", roles.row);
  row.setAttribute("aria-label", model.get("label"));
  el.append(row);

  const buttons = () => /** @type {HTMLElement[]} */ ([...row.querySelectorAll("button")]);
  const chosenButton = () => buttons().find((button) => button.dataset.view === model.get("value"));
  const mark = () => {
    const chosen = chosenButton();
    for (const button of buttons()) {
      button.setAttribute(roles.chosen, String(button === chosen));
      button.tabIndex = -1;
    }
    const stop = chosen ?? buttons()[0];
    if (stop) stop.tabIndex = 0;
    requestAnimationFrame(reveal); // to measure the row now would lay out the page once more
  };
  const reveal = () => {
    const chosen = chosenButton();
    if (chosen && row.scrollWidth > row.clientWidth) {
      const start = chosen.offsetLeft - row.offsetLeft;
      row.scrollLeft = scrolledTo(row.scrollLeft, row.clientWidth, start, start + chosen.offsetWidth);
    }
    tellMore();
  };
  const tellMore = () => {
    const end = row.scrollWidth - row.clientWidth - row.scrollLeft;
    row.dataset.more = `${row.scrollLeft > 1 ? "left" : ""} ${end > 1 ? "right" : ""}`;
  };
  const build = () => {
    const active = /** @type {HTMLElement | null} */ (document.activeElement);
    const focused = row.contains(active) ? active?.dataset.view : undefined;
    const items = /** @type {Item[]} */ (model.get("items"));
    row.replaceChildren(...items.flatMap((item) => itemElements(item, roles)));
    mark();
    if (focused !== undefined) buttons().find((button) => button.dataset.view === focused)?.focus();
  };
  const choose = (/** @type {Element | null} */ button) => {
    if (!(button instanceof HTMLElement) || button.hasAttribute("aria-disabled")) return;
    if (button.dataset.view === model.get("value")) return;
    model.set("value", button.dataset.view);
    model.save_changes();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const all = buttons();
    const target = movedTo(event.key, all.indexOf(/** @type {HTMLElement} */ (event.target)), all.length);
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    all[target].focus();
    choose(all[target]);
  };
  row.addEventListener("click", (event) => choose(/** @type {Element} */ (event.target).closest("button")), { signal });
  row.addEventListener("keydown", press, { signal });
  row.addEventListener("scroll", tellMore, { signal });
  const resizes = new ResizeObserver(reveal);
  resizes.observe(row);
  onChange(model, signal, { items: build, value: mark });
  build();
  return () => {
    controller.abort();
    resizes.disconnect();
    row.remove();
  };
}

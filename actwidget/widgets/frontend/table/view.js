// @ts-check

import { copiedBuffer } from "../shared/bytes.js";
import { onChange } from "../shared/widget_model.js";

/** @import { WidgetModel } from "../shared/widget_model.js" */

/**
 * A number in as few characters as four digits need; flags (columns that end with "?") as a word.
 * @param {number} value
 * @param {string} column
 */
export function format(value, column) {
  if (column.endsWith("?")) return value ? "yes" : "";
  if (column.endsWith("%")) return value.toFixed(1);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const text = Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? String(+value.toPrecision(4)) : value.toExponential(2);
  return text.replace("-", "−");
}

/**
 * The rows in the order of a column; NaN goes last either way, equal rows keep their order.
 * @param {ArrayLike<number>} values row by row
 * @param {number} width columns
 * @param {number} column
 * @param {boolean} descending
 * @returns {number[]}
 */
export function sorted(values, width, column, descending) {
  const rows = Array.from({ length: width ? values.length / width : 0 }, (_, row) => row);
  const key = (/** @type {number} */ row) => values[row * width + column];
  return rows.sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
    return (descending ? y - x : x - y) || a - b;
  });
}

/**
 * @param {string} name of a column
 * @param {number} index
 * @param {"ascending" | "descending" | "none"} order
 */
function headerCell(name, index, order) {
  const cell = document.createElement("th");
  cell.scope = "col";
  cell.setAttribute("aria-sort", order);
  const button = document.createElement("button");
  button.textContent = name.replace(/\?$/, "");
  button.dataset.column = String(index);
  cell.append(button);
  return cell;
}

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes it
 */
export function renderTable({ model, el }) {
  const box = document.createElement("div");
  box.className = "actw-table";
  const table = document.createElement("table");
  table.setAttribute("role", "grid");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  box.append(table);
  el.append(box);
  // The order is kept by the column's name, since another layer's numbers can have other columns.
  let sortedBy = "";
  let isDescending = false;

  const markSelected = () => {
    const selected = model.get("selected");
    for (const row of body.rows) {
      row.setAttribute("aria-selected", String(Number(row.dataset.row) === selected));
      row.tabIndex = -1;
    }
    const current = body.querySelector('[aria-selected="true"]') ?? body.rows[0];
    if (current instanceof HTMLElement) current.tabIndex = 0;
    return current;
  };
  const fill = () => {
    /** @type {string[]} */
    const names = model.get("_columns");
    const bytes = model.get("_values");
    const values = bytes ? new Float32Array(copiedBuffer(bytes)) : [];
    const column = Math.max(names.indexOf(sortedBy), 0);
    const descending = names[column] === sortedBy && isDescending;
    const order = descending ? "descending" : "ascending";
    table.setAttribute("aria-label", model.get("label"));
    head.replaceChildren(...names.map((name, index) => headerCell(name, index, index === column ? order : "none")));
    const width = names.length;
    body.replaceChildren(
      ...sorted(values, width, column, descending).map((row) => {
        const line = document.createElement("tr");
        line.dataset.row = String(row);
        names.forEach((name, index) => (line.insertCell().textContent = format(values[row * width + index], name)));
        return line;
      }),
    );
    markSelected()?.scrollIntoView?.({ block: "nearest" });
  };
  const select = (/** @type {Element | null} */ row) => {
    if (!(row instanceof HTMLElement) || row.dataset.row === undefined) return;
    model.set("selected", Number(row.dataset.row));
    model.save_changes();
  };
  const click = (/** @type {MouseEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const column = target.dataset.column;
    if (column === undefined) return select(target.closest("tr"));
    // Numbers are mostly wanted from the largest down; the first column is the rows' own order.
    const order = target.closest("th")?.getAttribute("aria-sort");
    isDescending = order === "none" ? Number(column) > 0 : order === "ascending";
    sortedBy = model.get("_columns")[Number(column)];
    fill();
    head.querySelectorAll("button")[Number(column)].focus();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest("tbody tr");
    if (!row) return;
    /** @type {Record<string, Element | null | undefined>} */
    const targets = {
      ArrowDown: row.nextElementSibling,
      ArrowUp: row.previousElementSibling,
      Home: body.rows[0],
      End: body.rows[body.rows.length - 1],
    };
    const target = targets[event.key];
    if (event.key === "Enter" || event.key === " ") select(row);
    else if (!(event.key in targets)) return;
    else if (target instanceof HTMLElement) target.focus();
    event.preventDefault();
    event.stopPropagation();
  };

  const controller = new AbortController();
  table.addEventListener("click", click, { signal: controller.signal });
  table.addEventListener("keydown", press, { signal: controller.signal });
  onChange(model, controller.signal, { _values: fill, selected: markSelected });
  fill();
  return () => {
    controller.abort();
    box.remove();
  };
}

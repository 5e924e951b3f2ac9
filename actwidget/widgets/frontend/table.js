// @ts-check
/**
 * A table of numbers that sorts by any column; a click on a row, or Enter, selects it.
 *
 * @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void,
 *   on(event: string, callback: Function): void, off(event: string, callback: Function): void}} Model
 */

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

/** @param {{model: Model, el: HTMLElement}} view */
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "actw-table";
  const table = document.createElement("table");
  table.setAttribute("role", "grid");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  box.append(table);
  el.append(box);
  // By name: another layer's numbers can have other columns.
  let [by, descending] = ["", false];

  const values = () => {
    const view = model.get("_values");
    return view ? new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)) : [];
  };

  const mark = () => {
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
    const names = model.get("_columns");
    const numbers = values();
    const column = Math.max(names.indexOf(by), 0);
    const down = names[column] === by && descending;
    table.setAttribute("aria-label", model.get("label"));
    head.replaceChildren(
      ...names.map((/** @type {string} */ name, /** @type {number} */ index) => {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.setAttribute("aria-sort", index === column ? (down ? "descending" : "ascending") : "none");
        const button = document.createElement("button");
        button.textContent = name.replace(/\?$/, "");
        button.dataset.column = String(index);
        cell.append(button);
        return cell;
      }),
    );
    const width = names.length;
    body.replaceChildren(
      ...sorted(numbers, width, column, down).map((row) => {
        const line = document.createElement("tr");
        line.dataset.row = String(row);
        for (let index = 0; index < width; index++) {
          line.insertCell().textContent = format(numbers[row * width + index], names[index]);
        }
        return line;
      }),
    );
    mark()?.scrollIntoView?.({ block: "nearest" });
  };

  const select = (/** @type {Element | null} */ row) => {
    if (!(row instanceof HTMLElement) || row.dataset.row === undefined) return;
    model.set("selected", Number(row.dataset.row));
    model.save_changes();
  };
  const click = (/** @type {MouseEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const index = target.dataset.column;
    if (index === undefined) return select(target.closest("tr"));
    // Numbers are mostly asked for from the largest down; the first column is the rows' own order.
    const marked = target.closest("th")?.getAttribute("aria-sort");
    descending = marked === "none" ? Number(index) > 0 : marked === "ascending";
    by = model.get("_columns")[Number(index)];
    fill();
    head.querySelectorAll("button")[Number(index)].focus();
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest("tbody tr");
    if (!row) return;
    /** @type {Record<string, Element | null | undefined>} */
    const next = {
      ArrowDown: row.nextElementSibling,
      ArrowUp: row.previousElementSibling,
      Home: body.rows[0],
      End: body.rows[body.rows.length - 1],
    };
    if (event.key === "Enter" || event.key === " ") select(row);
    else if (!(event.key in next)) return;
    else if (next[event.key] instanceof HTMLElement) /** @type {HTMLElement} */ (next[event.key]).focus();
    event.preventDefault();
    event.stopPropagation();
  };
  table.addEventListener("click", click);
  table.addEventListener("keydown", key);
  model.on("change:_values", fill);
  model.on("change:selected", mark);
  fill();
  return () => {
    model.off("change:_values", fill);
    model.off("change:selected", mark);
    box.remove();
  };
}

export default { render };

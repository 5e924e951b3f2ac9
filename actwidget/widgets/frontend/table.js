// @ts-check
// `NumberTable`: a table of numbers that sorts by any column; a click on a row, or Enter, selects it.

import { renderTable } from "./table/view.js";

export default { render: renderTable };

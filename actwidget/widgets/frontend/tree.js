// @ts-check
// `LayerTree`: the layer tree, in which one layer is selected.

import { renderTree } from "./tree/view.js";

export default { render: renderTree };

// @ts-check
// `InspectionPanel`: the numbers of the selected channel, and buttons for what to do next.

import { renderInspection } from "./inspection/view.js";

export default { render: renderInspection };

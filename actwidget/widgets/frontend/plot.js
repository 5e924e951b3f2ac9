// @ts-check
// `PlotView`: shows a Plotly figure.

import { renderPlot } from "./plot/view.js";

export default { render: renderPlot };

// @ts-check
// `SampleStrip`: the samples of a batch in a row, one of them selected, and "+" for another one.

import { renderSamples } from "./samples/view.js";

export default { render: renderSamples };

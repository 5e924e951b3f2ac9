// @ts-check
// `Choices`: one of several named things is chosen, by tabs or by a switch of joined buttons.

import { renderChoices } from "./choices/view.js";

export default { render: renderChoices };

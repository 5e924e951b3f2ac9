import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { THEME_ATTRIBUTES } from "../../actwidget/widgets/frontend/plot/appearance.js";

const FRONTEND = new URL("../../actwidget/widgets/frontend/", import.meta.url);
const read = (name) => readFileSync(new URL(name, FRONTEND), "utf8").replace(/\/\*[^]*?\*\//g, "");
const [, hosts, roots, colors] = /:is\(((?:[^()]|\([^()]*\))*)\)\s*:is\((.*?)\) \{([^}]*)\}/.exec(read("theme.css"));

test("a figure watches every attribute by which a host says that it is dark", () => {
  const attributes = [...hosts.matchAll(/\[([\w-]+)/g)].map(([, name]) => name);
  const expected = hosts.includes(".vscode-dark") ? [...attributes, "class"] : attributes;
  assert.deepEqual(expected.filter((name) => !THEME_ATTRIBUTES.includes(name)), []);
  assert.deepEqual(expected, ["theme", "class"]);
});

test("on a dark host every colour that a style sheet takes from JupyterLab is set", () => {
  const sheets = readdirSync(FRONTEND).filter((name) => name.endsWith(".css"));
  const used = new Set(sheets.flatMap((name) => [...read(name).matchAll(/var\((--jp-[\w-]*color\d)/g)].map(([, color]) => color)));
  const set = new Set([...colors.matchAll(/(--jp-[\w-]+):/g)].map(([, name]) => name));
  assert.deepEqual([...used].filter((name) => !set.has(name)), []);
  assert.ok(used.size >= 8);
});

test("the style sheet of every widget that can stand by itself has the colours of dark hosts, and applies them to it", () => {
  const sheets = roots.split(", ").map((root) => root.replace(".actw-", ""));
  assert.deepEqual(sheets, ["explorer", "tree", "plot", "samples", "still"]);
  for (const name of sheets) assert.match(read(`${name}.css`), /^@import "\.\/theme\.css";\n[^]*\.actw-/);
});

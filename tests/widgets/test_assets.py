"""The text that a widget sends, joined from the files in which its JavaScript is written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from actwidget.widgets.assets import asset, join_modules

FRONTEND = Path(__file__).parents[2] / "actwidget" / "widgets" / "frontend"
ENTRIES = sorted(path.name for path in FRONTEND.glob("*.js"))
FILES = {
    "entry.js": """// @ts-check
import { total } from "./parts/sum.js";
import { one } from "./parts/one.js";

/** @typedef {import("./parts/one.js").One} One */
export const three = total([one, one, one]);

export function described() {
  return `three is ${three}`;
}

export default { three };
""",
    "parts/sum.js": """import {
  one,
  zero,
} from "./one.js";
import { limit } from "../limit.js";

// The sum of numbers.
export async function later() {}
export function total(numbers) {
  const imported = "import { x } from './y.js'";
  return Math.min(limit, numbers.reduce((sum, each) => sum + each * one, zero));
}
""",
    "parts/one.js": "export const one = 1;\nexport let zero = 0;\nclass Private {}\n",
    "limit.js": "export const limit = 100;\n",
}


def joined(**changes: str) -> str:
    """The joined text of `FILES`, some of them with another text: `parts_one` stands for parts/one.js."""
    files = FILES | {f"{name.replace('_', '/')}.js": text for name, text in changes.items()}
    return join_modules("entry.js", files.__getitem__)


def exports_in_node(folder: Path, program: str) -> object:
    """What `program` prints as JSON, run by node in a folder."""
    command = [shutil.which("node") or "node", "--input-type=module", "-e", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_joined_module_runs_and_exports_what_its_entry_does(tmp_path):
    program = """
const module = await import("./joined.mjs");
console.log(JSON.stringify({...module, described: module.described()}));
"""
    (tmp_path / "joined.mjs").write_text(joined(), encoding="utf-8")
    said = {"three": 3, "default": {"three": 3}, "described": "three is 3"}
    assert exports_in_node(tmp_path, program) == said


def test_each_file_is_there_once_after_those_it_imports():
    text = joined()
    places = [text.index(f"{each}") for each in ("const one=", "const limit=", "function total", "const three=")]
    assert places == sorted(places)
    assert [text.count(each) for each in ("const one=", "const limit=", "function total")] == [1, 1, 1]


def test_neither_imports_nor_comments_nor_other_exports_are_left():
    text = joined()
    assert re.findall(r"\bimport\b.*?;", text) == ["import { x } from './y.js'\";"]
    assert re.findall(r"export [\w ]+", text) == ["export const three", "export function described", "export default"]
    assert "The sum of numbers" not in text
    assert "One" not in text


@pytest.mark.parametrize(
    "statement",
    [
        'import * as all from "./limit.js";',
        'import limit from "./limit.js";',
        'import "./limit.js";',
        'import { limit as most } from "./limit.js";',
        'import { limit } from "https://example.org/limit.js";',
        'import { limit } from "limit";',
        "import { limit } from './limit.js';",
        'export { limit } from "./limit.js";',
        'export * from "./limit.js";',
        "export { one };",
        "export default 1;",
        'export const limits = () => import("./limit.js");',
    ],
)
def test_a_form_that_is_not_supported_is_an_error_that_names_file_and_statement(statement):
    with pytest.raises(ValueError, match=r"parts/one\.js has .*" + re.escape(statement[-12:-1])):
        joined(parts_one=f"{FILES['parts/one.js']}{statement}\n")


def test_names_that_two_files_declare_are_an_error():
    for start in ("const limit = 1;", "function limit() {}", "export class limit {}", "async function limit() {}"):
        with pytest.raises(ValueError, match=r"Both (limit|parts/one)\.js and (limit|parts/one)\.js declare 'limit'"):
            joined(parts_one=f"{FILES['parts/one.js']}{start}\n")


def test_destructuring_at_the_top_level_is_an_error():
    for pattern in ("{ a, b }", "[a, b]"):
        with pytest.raises(ValueError, match=r"limit\.js declares names .* by destructuring"):
            joined(limit=f"export const limit = 1;\nconst {pattern} = limit;\n")


def test_a_name_that_is_not_exported_can_not_be_imported():
    with pytest.raises(ValueError, match=r"parts/sum\.js imports zero from parts/one\.js, which does not export it"):
        joined(parts_one="export const one = 1;\nconst zero = 0;\n")


def test_files_that_import_each_other_are_an_error():
    with pytest.raises(ValueError, match=r"circle: entry\.js -> parts/sum\.js -> limit\.js -> parts/sum\.js"):
        joined(limit='import { total } from "./parts/sum.js";\nexport const limit = total([]);\n')


SPACED = r"""// @ts-check

/**
 * Says a word, `// loudly`.
 * @param {HTMLElement} place
 */
export function say(place, { low = -1 } = {}) {
  // It waits for nobody.
  const word = /** @type {string} */ ("/* hello */ // you, 'and  you'"); // in \" quotes
  const parts = [
    word.replace(/[/ "]+ {2}/g, `  ${place} and
    ${ low } `),
    'it\'s  "',
    "2" + +low - -low,
  ];
  for (const part of parts) if (part) place.push(part)
  const half = low / 2 / 1;
  return place.length ? / "/.test(place[0]) : half in parts;
}
"""
COMPACT = r"""export function say(place,{low=-1}={}){const word=("/* hello */ // you, 'and  you'");
const parts=[word.replace(/[/ "]+ {2}/g,`  ${place} and
    ${ low } `),'it\'s  "',"2"+ +low- -low];for(const part of parts)if(part)place.push(part)
const half=low/2/1;return place.length?/ "/.test(place[0]):half in parts}
"""


def test_comments_and_spaces_go_but_within_a_literal_all_stays():
    assert join_modules("say.js", {"say.js": SPACED}.__getitem__) == COMPACT


def test_what_is_left_does_the_same(tmp_path):
    for name, text in (("spaced", SPACED), ("compact", join_modules("say.js", {"say.js": SPACED}.__getitem__))):
        (tmp_path / f"{name}.mjs").write_text(text, encoding="utf-8")
    program = """
const outcome = ({say}) => { const place = ["a"]; return [say(place, {low: 3}), place]; };
console.log(JSON.stringify([outcome(await import("./spaced.mjs")), outcome(await import("./compact.mjs"))]));
"""
    spaced, compact = exports_in_node(tmp_path, program)
    assert spaced == compact
    assert spaced == [False, ["a", "/* hello */ // you, 'and  you'", "it's  \"", 26]]


def test_a_template_literal_within_another_is_an_error():
    with pytest.raises(ValueError, match=r"one\.js has a template literal within another"):
        joined(parts_one="export const one = 1;\nexport const zero = `${one ? `a` : `b`}`;\n")


@pytest.mark.parametrize("entry", [name for name in ENTRIES if name != "page.js"])
def test_every_widget_is_sent_as_one_module_with_the_exports_of_its_entry(entry, tmp_path):
    (tmp_path / "joined.mjs").write_text(asset(entry), encoding="utf-8")
    program = f"""
const [joined, written] = [await import("./joined.mjs"), await import({json.dumps((FRONTEND / entry).as_uri())})];
const exported = (module) => Object.entries(module).map(([name, value]) => [name, typeof value]);
console.log(JSON.stringify([exported(joined), exported(written), typeof joined.default.render]));
"""
    in_joined, in_entry, render = exports_in_node(tmp_path, program)
    assert in_joined == in_entry
    assert render == "function"


def test_the_script_of_a_saved_page_is_one_text_that_its_script_element_can_hold(tmp_path):
    (tmp_path / "page.mjs").write_text(asset("page.js"), encoding="utf-8")
    subprocess.run([shutil.which("node") or "node", "--check", "page.mjs"], cwd=tmp_path, check=True)
    assert not re.search(r"</script|<!--", asset("page.js"), re.IGNORECASE)
    assert not re.search(r"^import\b", asset("page.js"), re.MULTILINE)


def test_the_tree_and_the_figure_are_the_same_in_a_saved_page_as_in_a_notebook():
    for entry in ("tree.js", "plot.js"):
        inner = asset(entry)[: asset(entry).index("export default")]
        assert set(inner.splitlines()) <= set(asset("page.js").splitlines())


def test_a_style_sheet_that_imports_another_begins_with_it():
    theme = asset("theme.css").strip()
    importing = {path.name for path in FRONTEND.glob("*.css") if "@import" in path.read_text(encoding="utf-8")}
    names = {"explorer", "tree", "choices", "samples", "plot", "inspection", "still"}
    assert importing == {f"{name}.css" for name in names}
    for path in FRONTEND.glob("*.css"):
        text = asset(path.name)
        assert "@import" not in text
        assert text.count(theme) == (path.name in importing or path.name == "theme.css")
        assert text.strip().startswith(theme) == (theme in text)


def test_a_text_is_read_once():
    assert asset("tree.js") is asset("tree.js")

"""One explorer on a small model: keyboard, filter, code, errors, views."""

from __future__ import annotations

import json

import pytest
from lab import CELLS, IN_SIGHT, Explorer

MODEL = """
import keras, numpy as np, actwidget as aw
from keras import layers
keras.utils.set_random_seed(1)

class Fragile(layers.Layer):
    broken = False
    def call(self, values):
        if Fragile.broken:
            raise ValueError("the fuse has blown")
        return values * 1.0

image = keras.Input((12, 12, 3), name="image")
y = layers.Conv2D(8, 3, padding="same", name="stem")(image)
for block in range(1, 9):
    z = layers.Conv2D(8, 3, padding="same", name=f"block{block}_conv")(y)
    z = layers.BatchNormalization(name=f"block{block}_bn")(z)
    z = layers.ReLU(name=f"block{block}_relu")(z)
    y = layers.Add(name=f"block{block}_add")([y, z])
y = Fragile(name="fuse")(y)
y = layers.GlobalAveragePooling2D(name="pool")(y)
model = keras.Model(image, layers.Dense(5, activation="softmax", name="kinds")(y), name="small")
x = np.random.default_rng(0).random((2, 12, 12, 3), "float32")
explorer = aw.LayerExplorer(model, x)
seen = []
explorer.observe(lambda change: seen.append(change.new), "layer")
"""
COUNT = 36
CURRENT = "print(explorer.layer)"
SCROLLED = "() => [...document.querySelectorAll('.jp-WindowedPanel-outer, html, body')].map((box) => box.scrollTop)"

# What can have the focus, and the view that it is in.
FOCUSABLE = {
    "figure": ("activation", ".actw-plot"),
    "choice": ("activation", ".actw-controls select >> nth=0"),
    "tab": ("activation", "[role=tab][aria-selected=true]"),
    "switch": ("activation", ".actw-scope [aria-checked=true]"),
    "stepper": ("activation", "[title='Next channel']"),
    "field": ("activation", ".actw-stepper-field input >> nth=0"),
    "code": ("activation", ".actw-code-toggle"),
    "grouping": ("activation", ".actw-tree [aria-pressed]"),
    "row of the table": ("table", ".actw-table tbody tr[tabindex='0']"),
    "head of the table": ("table", ".actw-table th button >> nth=1"),
}
# Where on the page a bin of the histogram is, at a share of the panel's height.
BIN = """(graph, [index, height]) => {
  graph.scrollIntoView({block: "nearest"});
  const {x0, dx, xaxis, yaxis} = graph._fullData.find((trace) => trace.meta === "bins");
  const across = graph._fullLayout[xaxis.replace("x", "xaxis")];
  const up = graph._fullLayout[yaxis.replace("y", "yaxis")];
  const {left, top} = graph.getBoundingClientRect();
  return [left + across._offset + across.d2p(x0 + index * dx), top + up._offset + (1 - height) * up._length];
}"""

EDGES = """(graph) => {
  const {x0, dx, z} = graph._fullData.find((trace) => trace.meta === "bins");
  return Array.from({length: z[0].length + 1}, (_, index) => x0 + (index - 0.5) * dx);
}"""


@pytest.fixture(scope="module")
def notebook(open_explorer):
    opened = open_explorer(MODEL)
    opened.count_drawings()
    return opened


@pytest.fixture
def explorer(notebook):
    """As at the start: the first layer, no filter, groups as they are."""
    shown = Explorer(notebook)
    shown.filter.fill("")
    notebook.ask("explorer.layer, explorer.channel = 'stem', None; seen.clear()")
    shown.wait_for_title("stem")
    return shown


@pytest.fixture
def in_tree(explorer):
    """With the focus on the selected row, brought there by Tab."""
    explorer.filter.focus()
    for _ in range(3):
        if explorer.focused is None:
            explorer.notebook.page.keyboard.press("Tab")
    assert explorer.focused == "stem"
    return explorer


def press(explorer, key, path):
    explorer.notebook.page.keyboard.press(key)
    explorer.wait_for_title(path)
    assert explorer.focused == path
    assert explorer.selected == [path]
    assert explorer.notebook.ask(CURRENT) == path


def test_arrows_and_ends_select(in_tree):
    press(in_tree, "ArrowUp", "image")
    press(in_tree, "End", "kinds")
    press(in_tree, "ArrowUp", "pool")
    press(in_tree, "Home", "image")
    press(in_tree, "ArrowDown", "stem")


def test_left_and_right_fold_and_unfold_a_group(in_tree):
    keyboard = in_tree.notebook.page.keyboard
    group = in_tree.tree.locator('[data-group="block1"]')
    keyboard.press("ArrowDown")
    assert in_tree.focused == "+block1"
    if group.get_attribute("aria-expanded") == "true":
        keyboard.press("ArrowLeft")
    assert group.get_attribute("aria-expanded") == "false"
    assert not in_tree.row("block1_conv").is_visible()
    keyboard.press("ArrowRight")
    assert group.get_attribute("aria-expanded") == "true"
    press(in_tree, "ArrowRight", "block1_conv")
    keyboard.press("ArrowLeft")
    assert in_tree.focused == "+block1"
    keyboard.press("ArrowLeft")
    assert group.get_attribute("aria-expanded") == "false"
    assert in_tree.notebook.ask(CURRENT) == "block1_conv"


def test_typing_goes_to_the_next_name_that_starts_so(in_tree):
    in_tree.notebook.page.keyboard.type("po")
    in_tree.wait_for_title("pool")
    assert in_tree.selected == ["pool"]


def test_letters_in_the_tree_are_no_commands_of_the_notebook(in_tree):
    cells = in_tree.notebook.page.evaluate(CELLS)
    for key in "xddmyzabcv":
        in_tree.notebook.page.keyboard.press(key)
    in_tree.settle()
    assert in_tree.notebook.page.evaluate(CELLS) == cells
    assert in_tree.focused is not None


@pytest.mark.parametrize(("show", "part"), FOCUSABLE.values(), ids=FOCUSABLE)
def test_letters_anywhere_in_the_explorer_are_no_commands_of_the_notebook(explorer, show, part):
    page = explorer.notebook.page
    explorer.notebook.ask(f"explorer.show = {show!r}")
    cells = page.evaluate(CELLS)
    explorer.element.locator(part).focus()
    for key in ("x", "d", "d", "m", "y", "a", "b", "Shift+M", "ArrowDown", "Delete"):
        page.keyboard.press(key)
    explorer.settle()
    assert page.evaluate(CELLS) == cells
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex") == 1
    explorer.notebook.ask("explorer.show = 'activation'")


def test_native_controls_keep_their_keys_and_combinations_are_the_notebook_s(explorer):
    page = explorer.notebook.page
    choice = explorer.element.get_by_label("colours")
    choice.focus()
    page.keyboard.press("w")  # the first letter of one choice
    explorer.settle()
    assert explorer.notebook.ask("print(explorer.scaling)") == "robust"
    explorer.notebook.ask("explorer.scaling = 'channel'")
    explorer.graph.locator("xpath=..").focus()
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.context.model.dirty = true; }")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")


def test_letters_in_the_filter_are_no_commands_of_the_notebook(explorer):
    cells = explorer.notebook.page.evaluate(CELLS)
    explorer.filter.focus()
    explorer.notebook.page.keyboard.type("xddm")
    explorer.settle()
    assert explorer.notebook.page.evaluate(CELLS) == cells
    assert explorer.filter.input_value() == "xddm"


def test_tab_leaves_the_tree_and_shift_tab_comes_back_to_the_selection(in_tree):
    press(in_tree, "End", "kinds")
    in_tree.notebook.page.keyboard.press("Tab")
    assert in_tree.focused is None
    assert in_tree.element.evaluate("(element) => element.contains(document.activeElement)")
    in_tree.notebook.page.keyboard.press("Shift+Tab")
    assert in_tree.focused == "kinds"


def test_a_held_key_ends_on_the_last_layer_without_drawing_all(in_tree):
    keyboard = in_tree.notebook.page.keyboard
    in_tree.notebook.ask(
        "explorer.layer = 'block1_conv'; explorer.layer = 'block4_conv'; explorer.layer = 'stem'; seen.clear()"
    )
    in_tree.wait_for_title("stem")
    rows = in_tree.shown
    for _ in range(30):
        keyboard.down("ArrowDown")
    keyboard.up("ArrowDown")
    expected = rows[min(rows.index("stem") + 30, len(rows) - 1)]
    in_tree.wait_for_title(expected)
    seen = json.loads(in_tree.notebook.ask("import json; print(json.dumps(seen))"))
    passed = [path for path in rows[rows.index("stem") + 1 : rows.index(expected) + 1] if not path.startswith("+")]
    assert seen[-1] == expected
    assert set(seen) <= set(passed)
    assert len(seen) < len(passed) / 2


def test_the_filter_finds_names_and_classes_and_escape_empties_it(explorer):
    everything = explorer.shown
    explorer.filter.fill("block3")
    assert explorer.shown == ["+block3", "block3_conv", "block3_bn", "block3_relu", "block3_add"]
    explorer.filter.fill("batchnorm")
    assert [path for path in explorer.shown if path[0] != "+"] == [f"block{n}_bn" for n in range(1, 9)]
    explorer.filter.press("Escape")
    assert explorer.filter.input_value() == ""
    assert explorer.shown == everything


def test_a_layer_found_by_the_filter_can_be_selected(explorer):
    explorer.filter.fill("block5 relu")
    explorer.row("block5_relu").click()
    explorer.wait_for_title("block5_relu")
    assert explorer.notebook.ask(CURRENT) == "block5_relu"


def test_the_copied_code_runs_in_a_new_cell_and_gives_the_activation(explorer):
    page = explorer.notebook.page
    explorer.select("block2_relu")
    button = explorer.element.get_by_role("button", name="Keras code")
    button.click()
    explorer.element.get_by_role("button", name="Copy", exact=True).click()
    explorer.element.get_by_text("Copied", exact=True).wait_for()
    code = page.evaluate("() => navigator.clipboard.readText()")
    assert code.replace("\r", "") == json.loads(explorer.notebook.ask("import json; print(json.dumps(explorer.code))"))
    assert explorer.element.locator("pre").text_content() == code
    check = "\nprint(np.array_equal(np.asarray(activation), explorer.activation), activation.shape)"
    assert explorer.notebook.run(code + check) == "True (2, 12, 12, 8)"
    button.click()
    assert not explorer.element.locator("pre").is_visible()


def test_a_layer_that_raises_is_named_and_the_last_picture_stays(explorer):
    explorer.select("block8_add")
    explorer.notebook.ask("Fragile.broken = True; explorer._explorer.session.clear()")
    before, title = explorer.drawings, explorer.title
    explorer.row("fuse").click()
    explorer.alert.get_by_text("the fuse has blown").wait_for()
    assert explorer.alert.text_content().startswith("fuse:")
    assert "fuse" in explorer.status.text_content()
    assert (explorer.title, explorer.drawings) == (title, before)
    explorer.select("block8_relu")
    assert explorer.alert.text_content() == ""
    explorer.notebook.ask("Fragile.broken = False")
    explorer.select("fuse")
    assert explorer.alert.text_content() == ""


def test_a_wrong_name_from_code_is_said_and_changes_nothing(explorer):
    raised = explorer.notebook.run(
        "from actwidget.errors import LayerNotFoundError\n"
        "try:\n    explorer.layer = 'blokc3_conv'\nexcept LayerNotFoundError as error:\n    print(error)"
    )
    assert "'block3_conv'" in raised
    explorer.alert.get_by_text("blokc3_conv").wait_for()
    assert explorer.selected == ["stem"]
    assert explorer.title.startswith("stem ·")
    explorer.select("pool")
    assert explorer.alert.text_content() == ""


def test_an_error_goes_when_the_selected_row_is_clicked(explorer):
    (selected,) = explorer.selected
    explorer.notebook.ask("try: explorer.layer = 'blokc3_conv'\nexcept Exception: pass")
    explorer.alert.get_by_text("blokc3_conv").wait_for()
    explorer.row(selected).click()
    explorer.settle()
    assert explorer.alert.text_content() == ""
    assert explorer.selected == [selected]


def test_a_drop_down_has_its_tooltip_and_its_label(explorer):
    menus = explorer.element.locator("select")
    tips = menus.evaluate_all("(all) => all.map((each) => [each.labels[0].textContent, each.title])")
    assert ["order", "order of the channels"] in tips
    assert all(label and tip for label, tip in tips)


def test_that_no_layer_matches_is_said_right_below_the_filter(explorer):
    explorer.filter.fill("nothing like it")
    note = explorer.element.get_by_text("No layer matches")
    field, said = explorer.filter.bounding_box(), note.bounding_box()
    assert 0 <= said["y"] - (field["y"] + field["height"]) <= 16
    explorer.filter.fill("")
    note.wait_for(state="detached")


def test_a_wrong_channel_typed_is_said_beside_its_field_and_moves_nothing(explorer):
    field = explorer.element.get_by_placeholder("mean")
    figure = explorer.graph.bounding_box()
    height = explorer.element.bounding_box()["height"]
    field.fill("8")
    field.press("Enter")
    said = explorer.alert.get_by_text("Expected a channel from 0 to 7")
    said.wait_for()
    box, below = field.bounding_box(), said.bounding_box()
    assert 0 <= below["y"] - (box["y"] + box["height"]) <= 16
    assert abs(below["x"] - box["x"]) <= 120
    assert explorer.graph.bounding_box() == figure
    assert explorer.element.bounding_box()["height"] == height
    field.fill("7")
    field.press("Enter")
    explorer.wait_until("(graph) => graph.layout.annotations[0].text.includes('channel 7<')")
    assert explorer.alert.text_content() == ""
    assert explorer.notebook.ask("print(explorer.channel)") == "7"


def test_a_folded_group_tells_that_a_layer_in_it_has_a_mark(explorer, notebook):
    notebook.ask("explorer._screen.tree.marks = {'block7_relu': '8 of 8 channels dead'}")
    group = explorer.tree.locator('[data-group="block7"]')
    if group.get_attribute("aria-expanded") == "true":
        group.click()
    dot = group.locator(".actw-tree-mark")
    dot.wait_for()
    assert dot.get_attribute("title") == "1 layer inside with a warning"
    group.click()
    dot.wait_for(state="hidden")
    own = explorer.row("block7_relu").locator(".actw-tree-mark")
    assert own.get_attribute("title") == "8 of 8 channels dead"
    notebook.ask("explorer._screen.tree.marks = {}")
    own.wait_for(state="detached")
    assert explorer.tree.locator("[aria-description]").count() == 0
    group.click()


def test_the_mouse_anywhere_over_a_bin_reads_its_shares_and_a_click_there_selects_nothing(explorer, notebook):
    notebook.ask("explorer.channel = 3")
    explorer.settle()
    edges = explorer.graph.evaluate(EDGES)
    bins = json.loads(
        notebook.ask(
            f"import json; edges = np.asarray({edges})\n"
            "layer, own = explorer.activation[0], explorer.activation[0, ..., 3]\n"
            "shares = [np.histogram(values, edges)[0] / values.size for values in (layer, own)]\n"
            "print(json.dumps([each.tolist() for each in shares]))"
        ).splitlines()[-1]
    )
    assert len(bins[0]) == 64
    assert sum(bins[1]) > 0.99  # the histogram has the range of the channel close up
    for index, height in ((20, 0.05), (40, 0.95)):
        notebook.page.mouse.move(*explorer.graph.evaluate(BIN, [index, height]), steps=4)
        explorer.wait_until(
            "(graph, texts) => texts.every((text) => graph.querySelector('.hoverlayer').textContent.includes(text))",
            [f"{bins[0][index]:.2%} of the layer", f"{bins[1][index]:.2%} of the channel"],
        )
    notebook.page.mouse.down()
    notebook.page.mouse.up()
    assert notebook.ask("print(explorer.channel)") == "3"


def test_a_layer_set_from_code_is_unfolded_to_and_scrolled_to(explorer):
    page = explorer.notebook.page
    group = explorer.tree.locator('[data-group="block8"]')
    if group.get_attribute("aria-expanded") == "true":
        group.click()
    assert not explorer.row("block8_relu").is_visible()
    explorer.tree.evaluate("(tree) => { tree.scrollTop = 0 }")
    explorer.notebook.ask("explorer.layer = 'block1_conv'")
    explorer.wait_for_title("block1_conv")
    before = page.evaluate(SCROLLED)
    explorer.notebook.ask("explorer.layer = 'block8_relu'")
    explorer.wait_for_title("block8_relu")
    assert explorer.selected == ["block8_relu"]
    assert group.get_attribute("aria-expanded") == "true"
    assert explorer.row("block8_relu").evaluate(IN_SIGHT)
    assert page.evaluate(SCROLLED) == before


def test_two_views_of_one_explorer_show_the_same(explorer):
    explorer.notebook.run("explorer")
    second = Explorer(explorer.notebook, 1)
    for clicked, other, path in ((second, explorer, "pool"), (explorer, second, "block6_conv")):
        clicked.select(path)
        other.wait_for_title(path)
        assert other.selected == clicked.selected == [path]
        assert other.title == clicked.title
        assert other.row(path).evaluate(IN_SIGHT)
        assert other.status.text_content() == clicked.status.text_content()
    explorer.notebook.page.mouse.click(*second.tile(3))
    for view in (explorer, second):
        view.wait_until("(graph) => graph.layout.annotations[0].text.includes('channel 3<')")

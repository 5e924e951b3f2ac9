import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { cellAt, pixelOf, seenBy, sentence, valueAt, valueOf } from "../../actwidget/widgets/frontend/plot/crosshair.js";
import { darkBase64, darkPicture, darkText } from "../../actwidget/widgets/frontend/plot/dark.js";
import { clickData, layoutImage, pictureUri, resolveFigure, setAttributeAt } from "../../actwidget/widgets/frontend/plot/figure.js";
import { roomOf, tellRoom } from "../../actwidget/widgets/frontend/plot/room.js";
import { loadPlotly } from "../../actwidget/widgets/frontend/plot/plotly_loader.js";

const APPEARANCE = { narrow: false, dark: false, text: "#111", line: "#ccc", background: "#fff" };

/** The first 24 bytes of a PNG of that size, which is as far as its size needs. */
const png = (width, height) => {
  const bytes = Buffer.alloc(24);
  bytes.write("\x89PNG\r\n\x1a\n", "latin1");
  bytes.writeUInt32BE(13, 8);
  bytes.write("IHDR", 12, "latin1");
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return `data:image/png;base64,${bytes.toString("base64")}`;
};
const spec = (...data) => JSON.stringify({ data, layout: {} });
const picture = { type: "image", source: "actwidget:image:0", hoverinfo: "skip" };
const cells = { type: "heatmap", z: [[0]] };

test("an attribute is set where its path leads, through what is not there yet", () => {
  const layout = { annotations: [{ x: 1 }, { x: 2 }] };
  setAttributeAt(layout, "annotations[1].x", 0);
  setAttributeAt(layout, "xaxis.domain", [0, 1]);
  assert.deepEqual(layout, { annotations: [{ x: 1 }, { x: 0 }], xaxis: { domain: [0, 1] } });
});

test("a picture that comes as bytes, anywhere in a buffer, becomes a data URI", () => {
  const bytes = Uint8Array.from({ length: 100_001 }, (_, index) => index % 251);
  const view = new DataView(bytes.buffer, 5, 99_990);
  const expected = Buffer.from(bytes.subarray(5, 99_995)).toString("base64");
  const native = Uint8Array.prototype.toBase64;
  try {
    for (const toBase64 of [undefined, function () { return Buffer.from(this).toString("base64"); }]) {
      Uint8Array.prototype.toBase64 = toBase64;
      assert.equal(pictureUri(view), `data:image/png;base64,${expected}`);
    }
  } finally {
    Uint8Array.prototype.toBase64 = native;
  }
  assert.equal(pictureUri(png(4, 3)), png(4, 3));
  assert.equal(pictureUri(undefined), undefined);
});

test("a picture covers as much of the axes as its pixels did", () => {
  const trace = { source: png(300, 20), x0: 0.5, y0: 1, dx: 1, dy: 2, xaxis: "x2", yaxis: "y2", opacity: 0.5 };
  assert.deepEqual(layoutImage(trace), {
    source: trace.source, xref: "x2", yref: "y2", x: 0, y: 0, sizex: 300, sizey: 40, sizing: "stretch", layer: "below",
    opacity: 0.5,
  });
});

test("a picture beneath a trace that answers is drawn by the page", () => {
  const { data, layout } = resolveFigure(spec(picture, cells), [png(4, 3)], APPEARANCE);
  assert.deepEqual(data, [cells]);
  assert.deepEqual(layout.images.map(({ source, sizex, sizey, xref }) => [source, sizex, sizey, xref]), [[png(4, 3), 4, 3, "x"]]);
});

test("a picture by itself in its panel, one that answers and one that is no PNG stay with Plotly", () => {
  const others = [
    [{ ...picture, xaxis: "x2", yaxis: "y2" }, png(4, 3)],
    [{ ...picture, hoverinfo: "all" }, png(4, 3)],
    [picture, "data:image/webp;base64,UklG"],
  ];
  for (const [trace, source] of others) {
    const { data, layout } = resolveFigure(spec(trace, cells), [source], APPEARANCE);
    assert.deepEqual(data, [{ ...trace, source }, cells]);
    assert.equal(layout.images, undefined);
  }
});

test("a narrow page gets the narrow layout, every page its own colours", () => {
  const figure = JSON.stringify({ data: [], layout: { xaxis: {}, template: {}, meta: { narrow: { "xaxis.domain": [0, 1], height: 9 } } } });
  const wide = resolveFigure(figure, [], APPEARANCE).layout;
  const narrow = resolveFigure(figure, [], { ...APPEARANCE, narrow: true }).layout;
  assert.deepEqual([wide.height, wide.xaxis.domain], [undefined, undefined]);
  assert.deepEqual([narrow.height, narrow.xaxis.domain], [9, [0, 1]]);
  assert.deepEqual([wide.font.color, wide.xaxis.gridcolor, wide.hoverlabel.bgcolor, wide.template], ["#111", "#ccc", "#fff", undefined]);
});

test("large arrays come back as bytes, in a saved page as base64", () => {
  const numbers = new Float32Array([9, 1.5, -2, 4]);
  const z = { dtype: "f4", bdata: "actwidget:array:1" };
  const trace = { type: "heatmap", z, y: { dtype: "f4", bdata: "AAAA" }, text: "actwidget:array:0", x: null };
  const arrays = [new DataView(new ArrayBuffer(4)), new DataView(numbers.buffer, 4, 8)];
  const [found] = resolveFigure(spec(trace), [], APPEARANCE, arrays).data;
  assert.deepEqual([...new Float32Array(found.z.bdata)], [1.5, -2]);
  assert.deepEqual([found.y, found.text, found.x], [trace.y, trace.text, null]);
  assert.equal(resolveFigure(spec(trace), [], APPEARANCE, ["", "AADAPw=="]).data[0].z.bdata, "AADAPw==");
});

test("no figure yet is an empty one", () => {
  assert.deepEqual(resolveFigure("", [], APPEARANCE).data, []);
});

test("a click says the point's customdata, or the row and column of a cell", () => {
  assert.deepEqual(clickData([{ customdata: new Float32Array([3, 1]) }]), [3, 1]);
  assert.deepEqual(clickData([{ data: { meta: "cells" }, x: 2.6, y: 0.2 }]), ["cell", 0, 3]);
  assert.equal(clickData([{ data: {}, x: 1, y: 1 }]), undefined);
  assert.equal(clickData([{ data: { meta: "bins" }, customdata: [0.5], x: 1, y: 1 }]), undefined);
  assert.equal(clickData([]), undefined);
});

describe("plotly.js is asked for", () => {
  const plotly = { name: "Plotly" };
  const unpack = async (packed) => {
    if (packed !== "packed") throw new Error("broken on the way");
    return plotly;
  };

  beforeEach(() => {
    delete globalThis.__actwidgetPlotly;
    delete globalThis.__actwidgetWaiting;
  });

  /** A view that wants plotly.js of a kernel: how often it asked, what it answers to, and how it goes. */
  const view = (kernel, live = true) => {
    const callbacks = new Set();
    const gone = new AbortController();
    const model = {
      get: (name) => ({ _kernel: kernel })[name],
      on: (_event, callback) => callbacks.add(callback),
      off: (_event, callback) => callbacks.delete(callback),
      send: ({ kind }) => { made.asked += kind === "plotly.js"; },
    };
    const made = {
      asked: 0,
      answer: (packed = "packed") => [...callbacks].forEach((callback) => callback({ kind: "plotly.js" }, [packed])),
      go: () => gone.abort(),
    };
    made.found = loadPlotly(model, live, gone.signal, unpack);
    return made;
  };
  const asked = (...views) => views.map((each) => each.asked);

  test("once by the views of one kernel, and not by later ones", async () => {
    const [first, second] = [view("a"), view("a")];
    assert.deepEqual(asked(first, second), [1, 0]);
    first.answer();
    assert.deepEqual(await Promise.all([first.found, second.found]), [plotly, plotly]);
    const later = [view("a"), view("b")];
    assert.deepEqual(asked(...later), [0, 0]);
    assert.equal(await later[1].found, plotly);
  });

  test("of each kernel, and the first answer is for all", async () => {
    const [busy, idle] = [view("a"), view("b")];
    assert.deepEqual(asked(busy, idle), [1, 1]);
    idle.answer();
    assert.deepEqual(await Promise.all([busy.found, idle.found]), [plotly, plotly]);
    busy.answer("a second copy, not looked into");
    assert.equal(await view("a").found, plotly);
  });

  test("by the next view when the one that asked goes", async () => {
    const views = [view("a"), view("a"), view("a")];
    views[1].go();
    assert.deepEqual(asked(...views), [1, 0, 0]);
    views[0].go();
    assert.deepEqual(asked(...views), [1, 0, 1]);
    views[2].answer();
    assert.equal(await views[2].found, plotly);
    views[2].go();
    assert.deepEqual(asked(...views, view("a")), [1, 0, 1, 0]);
  });

  test("by nobody when all have gone, until one comes", () => {
    const first = view("a");
    first.go();
    assert.deepEqual(asked(first, view("a")), [1, 1]);
  });

  test("by no view that no kernel is behind, which still takes what another is given", async () => {
    const [restored, live] = [view("a", false), view("a")];
    assert.deepEqual(asked(restored, live), [0, 1]);
    live.answer();
    assert.equal(await restored.found, plotly);
  });

  test("once more after an answer that is broken", async () => {
    const first = view("a");
    first.answer("half of it");
    await assert.rejects(first.found, /broken on the way/);
    const next = view("a");
    assert.deepEqual(asked(first, next), [1, 1]);
    next.answer();
    assert.equal(await next.found, plotly);
  });
});

describe("on a dark page", () => {
  /** A picture with both palettes, each of one value, and some bytes after them. */
  const both = () => {
    const bytes = new Uint8Array(4000);
    bytes.set(Buffer.from("PLTE"), 37);
    bytes.fill(1, 41, 813);
    bytes.set(Buffer.from("daRk"), 817);
    bytes.fill(2, 821, 1593);
    bytes.fill(7, 1597);
    return bytes;
  };

  test("a picture gets the palette that it brings for it, and nothing else changes", () => {
    const [light, dark] = [both(), darkPicture(both())];
    assert.ok(dark.subarray(41, 813).every((byte) => byte === 2));
    assert.deepEqual([dark.subarray(0, 41), dark.subarray(813)], [light.subarray(0, 41), light.subarray(813)]);
    const text = Buffer.from(light).toString("base64");
    assert.deepEqual([...Buffer.from(darkBase64(text), "base64")], [...dark]);
    const one = light.fill(0, 813, 825);
    assert.equal(darkPicture(one), one);
    assert.equal(darkBase64("AAAA"), "AAAA");
  });

  test("coloured text is light, and what else has that colour keeps it", () => {
    const spec = '{"text":"<span style=\\"color:#1a6fe8\\">unit</span>","color":"#1a6fe8"}';
    assert.equal(darkText(spec), spec.replace("color:#1a6fe8", "color:#6cb6ff"));
  });

  test("a figure changes what it says that changes there", () => {
    const meta = { dark: { "coloraxis.colorscale": [[0, "#000"]] }, narrow: { height: 9 } };
    const figure = JSON.stringify({ data: [], layout: { coloraxis: { cmin: 1 }, meta } });
    const { layout } = resolveFigure(figure, [], { ...APPEARANCE, dark: true });
    assert.deepEqual([layout.coloraxis, layout.height], [{ cmin: 1, colorscale: [[0, "#000"]] }, undefined]);
    assert.deepEqual(resolveFigure(figure, [], APPEARANCE).layout.coloraxis, { cmin: 1 });
  });
});

describe("the crosshair", () => {
  const places = { trace: 2, shape: [10, 20], closeup: ["xaxis2", "yaxis2"], source: ["xaxis5", "yaxis5"], pixels: [40, 80], first: [1.5, 1.5], step: [4, 4], size: [6, 6] };

  test("finds the value under a pixel of either axis, and the pixel of a value", () => {
    const across = { _offset: 100, _length: 200, range: [-0.5, 19.5] };
    const down = { _offset: 50, _length: 100, range: [9.5, -0.5] };
    assert.deepEqual([valueOf(across, 100, false), valueOf(across, 300, false), valueOf(across, 99, false)], [-0.5, 19.5, undefined]);
    assert.deepEqual([valueOf(down, 50, true), valueOf(down, 150, true)], [-0.5, 9.5]);
    for (const value of [0, 3, 9]) {
      assert.ok(Math.abs(valueOf(across, pixelOf(across, value, false), false) - value) < 1e-9);
      assert.ok(Math.abs(valueOf(down, pixelOf(down, value, true), true) - value) < 1e-9);
    }
  });

  test("knows the pixels behind a cell and the cell over a pixel", () => {
    assert.deepEqual(seenBy(places, [2, 3]), { from: [7, 11], to: [13, 17] });
    assert.deepEqual(seenBy(places, [0, 0]).from, [0, 0]);
    assert.deepEqual(cellAt(places, [9, 13]), [2, 3]);
    assert.deepEqual(cellAt(places, [0, 79]), [0, 19]);
    assert.deepEqual(cellAt({ ...places, first: undefined }, [39, 0]), [9, 0]);
    assert.equal(seenBy({ ...places, first: undefined }, [1, 1]), undefined);
  });

  test("reads packed values, of a reduced map too", () => {
    const z = { dtype: "f4", shape: "2, 3", bdata: new Float32Array([0, 1, 2, 3, 4, 5]).buffer };
    assert.equal(valueAt({ z }, [1, 2]), 5);
    assert.equal(valueAt({ z, x0: 0.5, y0: 0.5, dx: 2, dy: 2 }, [2, 1]), 3);
    assert.equal(valueAt({ z: { ...z, bdata: Buffer.from(z.bdata).toString("base64") } }, [0, 1]), 1);
  });

  test("says what it points at", () => {
    assert.equal(sentence(places, [2, 3], 4.1704), "row 2, column 3 is 4.17; it depends on 6 × 6 pixels");
    assert.equal(sentence({ ...places, source: undefined, words: ["query", "key"] }, [2, 3], NaN), "query 2, key 3 is NaN");
  });
});

test("the kernel is told of a room once, and again only when it has notably changed", () => {
  const sent = [];
  const model = { set: (name, value) => sent.push([name, value]), save_changes() {} };
  const tell = tellRoom(model, true);
  for (const width of [0, 801, 805, 815, 817]) tell(width, false);
  tell(817, true);
  assert.deepEqual(sent, [["_room", [800, 480]], ["_room", [816, 480]], ["_room", [816, 600]]]);
  tellRoom(model, false)(900, false);
  assert.equal(sent.length, 3);
  assert.deepEqual(roomOf(5, false), [16, 480]);
});

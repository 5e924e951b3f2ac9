// Draws the figures of Plotly that notebooks have stored, in the colours of the page, with the copy of plotly.js beside this file.
const library = new URL("plotly.min.js", document.currentScript.src);
const figures = [...document.querySelectorAll(".figure-of-plotly")].map((element) => {
  const { data, layout } = JSON.parse(element.querySelector("script").textContent);
  return { element, data, layout };
});

function draw() {
  const style = getComputedStyle(document.body);
  const text = style.color;
  for (const { element, data, layout } of figures) {
    const colours = { paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { ...layout.font, color: text } };
    window.Plotly.react(element, data, { ...layout, ...colours, autosize: true }, { responsive: true });
  }
}

if (figures.length) {
  const script = document.createElement("script");
  script.src = library;
  script.addEventListener("load", () => {
    draw();
    new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  });
  document.head.append(script);
}

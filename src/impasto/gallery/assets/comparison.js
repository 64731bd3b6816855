const charts = [...document.querySelectorAll(".chart")].map(partsOf);

document.querySelectorAll(".sheets").forEach((sheets) => {
  chooseMoment(sheets, document.querySelector(".moment"));
  enlarge(sheets);
});
document.querySelectorAll(".key button").forEach(hideCurves);
readCharts(
  charts.map((chart) => chart.svg),
  (place) => charts.forEach((chart) => readAt(chart, place)),
  () => charts.forEach(rest),
);

/** Show each run's sheet that is nearest to the moment at the slider. */
function chooseMoment(sheets, moment) {
  const moments = JSON.parse(sheets.dataset.moments);
  const slider = moment.querySelector("input");
  const figures = [...sheets.children];
  const show = () => {
    const [imagesSeen, shown] = moments[slider.value];
    moment.querySelector("strong").textContent = imagesSeen.toLocaleString("en");
    slider.setAttribute("aria-valuetext", `${imagesSeen} images seen`);
    figures.forEach((figure, place) => {
      const pictures = [...figure.querySelectorAll("img")];
      pictures.forEach((picture, index) => (picture.hidden = index !== shown[place]));
      if (pictures.length) figure.querySelector(".seen").textContent = pictures[shown[place]].dataset.seen;
    });
  };
  slider.addEventListener("input", show);
  slider.value = moments.length - 1; // after a reload the browser may restore another
  moment.hidden = moments.length < 2;
  show();
}

/** Enlarge the same place on all sheets: where one is pressed, then under the pointer, until one is pressed again. */
function enlarge(sheets) {
  const buttons = [...sheets.querySelectorAll("button")];
  const look = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (at, from, length) => `${Math.min(100, Math.max(0, (100 * (at - from)) / length))}%`;
    sheets.style.setProperty("--x", share(event.clientX, box.left, box.width));
    sheets.style.setProperty("--y", share(event.clientY, box.top, box.height));
  };
  for (const button of buttons) {
    button.addEventListener("click", (event) => {
      const large = sheets.classList.toggle("large");
      buttons.forEach((other) => other.setAttribute("aria-pressed", large));
      if (event.detail) look(event); // a key press has no place: it enlarges the middle
    });
    button.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") look(event);
    });
  }
}

/** Let a run's name hide its curves. */
function hideCurves(button) {
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    document.querySelectorAll(`.charts [data-run="${button.dataset.run}"]`).forEach((part) => {
      part.style.display = shown ? "" : "none";
    });
  });
}

/** Return the parts of a chart: its line under the pointer, and for each run its points, its dot and its output. */
function partsOf(chart) {
  const svg = chart.querySelector("svg");
  const curves = Object.entries(JSON.parse(svg.dataset.points)).map(([run, points]) => ({
    points,
    dot: svg.querySelector(`[data-run="${run}"] .cursor`),
    reading: chart.querySelector(`.readings [data-run="${run}"] output`),
  }));
  return { svg, at: chart.querySelector(".at"), line: svg.querySelector("path.cursor"), curves };
}

/** Write the values of all runs at a place of one chart. */
function readAt({ at, line, curves }, place) {
  const known = curves.filter((curve) => curve.points.length);
  if (!known.length) return;
  const distance = (point) => Math.abs(point[2] - place);
  const nearest = (points) => points.reduce((best, other) => (distance(other) < distance(best) ? other : best));
  const leading = nearest(known.flatMap((curve) => curve.points));
  at.textContent = `at ${leading[0].toLocaleString("en")} images`;
  line.setAttribute("transform", `translate(${leading[2]} 0)`);
  line.setAttribute("visibility", "visible");
  for (const { points, dot, reading } of known) {
    const point = nearest(points);
    const here = Math.abs(point[2] - leading[2]) < 12; // a run that ended earlier has no value here
    reading.textContent = here ? short(point[1]) : "–";
    dot.setAttribute("transform", `translate(${point[2]} ${point[3]})`);
    dot.setAttribute("visibility", here ? "visible" : "hidden");
  }
}

/** Write the last values. */
function rest({ at, line, curves }) {
  at.textContent = "last values";
  line.setAttribute("visibility", "hidden");
  for (const { points, dot, reading } of curves) {
    dot.setAttribute("visibility", "hidden");
    reading.textContent = points.length ? short(points.at(-1)[1]) : "none";
  }
}

document.querySelectorAll(".frame").forEach(compare);
document.querySelectorAll(".filmstrip").forEach(scrub);
readCurves([...document.querySelectorAll(".chart")]);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));

/** Let the line between photo and painting follow the pointer and the keyboard. */
function compare(frame) {
  const share = frame.querySelector("input");
  let atRest = share.value;
  const show = () => {
    frame.style.setProperty("--cut", `${share.value}%`);
    share.setAttribute("aria-valuetext", `${Math.round(share.value)} % photo`);
  };
  const follow = (event) => {
    if (!frame.hasPointerCapture(event.pointerId)) return;
    const box = frame.getBoundingClientRect();
    share.value = (100 * (event.clientX - box.left)) / box.width;
    show();
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    atRest = share.value;
    frame.setPointerCapture(event.pointerId);
    if (event.pointerType === "mouse") follow(event); // a finger may only want to scroll
  });
  frame.addEventListener("pointercancel", () => {
    share.value = atRest; // the finger did scroll
    show();
  });
  frame.addEventListener("pointermove", follow);
  frame.addEventListener("pointerup", (event) => {
    follow(event);
    share.focus({ preventScroll: true });
  });
  share.addEventListener("input", show);
  show();
}

/** Show one sample sheet in full size: the one at the slider, or the one whose thumbnail is pressed. */
function scrub(filmstrip) {
  const stage = filmstrip.querySelector(".stage");
  const moment = stage.querySelector("input");
  const frames = [...filmstrip.querySelectorAll("button")];
  const picture = new Image();
  const show = () => {
    const frame = frames[moment.value];
    const thumbnail = frame.querySelector("img");
    const imagesSeen = frame.textContent;
    picture.src = thumbnail.src;
    picture.alt = thumbnail.alt;
    picture.style.setProperty("--width", thumbnail.getAttribute("width"));
    stage.querySelector("strong").textContent = imagesSeen;
    moment.setAttribute("aria-valuetext", `${imagesSeen} images seen`);
    frames.forEach((other) => other.setAttribute("aria-pressed", other === frame));
  };
  frames.forEach((frame, index) =>
    frame.addEventListener("click", () => {
      moment.value = index;
      show();
    }),
  );
  moment.addEventListener("input", show);
  moment.hidden = frames.length < 2;
  stage.prepend(picture);
  stage.hidden = false;
  show();
}

/** Write beside each curve its last value, or all values at the moment where the pointer is on any of them. */
function readCurves(charts) {
  const curves = charts
    .map((chart) => ({
      cursor: chart.querySelector(".cursor"),
      reading: chart.querySelector(".reading"),
      points: JSON.parse(chart.querySelector("svg").dataset.points),
    }))
    .filter((curve) => curve.points.length);
  const write = ({ reading }, [imagesSeen, measured, smoothed]) => {
    reading.textContent = `${short(measured)} (smoothed ${short(smoothed)}) at ${imagesSeen.toLocaleString("en")} images`;
  };
  const show = (place) => {
    for (const curve of curves) {
      const distance = (point) => Math.abs(point[3] - place);
      const point = curve.points.reduce((best, other) => (distance(other) < distance(best) ? other : best));
      write(curve, point);
      curve.cursor.setAttribute("visibility", "visible");
      curve.cursor.querySelector("path").setAttribute("transform", `translate(${point[3]} 0)`);
      curve.cursor.querySelector("circle").setAttribute("transform", `translate(${point[3]} ${point[4]})`);
    }
  };
  const rest = () => {
    for (const curve of curves) {
      write(curve, curve.points.at(-1));
      curve.cursor.setAttribute("visibility", "hidden");
    }
  };
  readCharts(
    charts.map((chart) => chart.querySelector("svg")),
    show,
    rest,
  );
  rest();
}

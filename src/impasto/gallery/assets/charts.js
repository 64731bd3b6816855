"use strict";

/**
 * Call `show` with a place, in units of the drawing, where the pointer or the arrow keys stand on any of the charts, and
 * `rest` when they leave.
 */
function readCharts(drawings, show, rest) {
  for (const svg of drawings) {
    const width = svg.viewBox.baseVal.width;
    let place = width;
    const showAt = (there) => {
      place = Math.min(width, Math.max(0, there));
      show(place);
    };
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      showAt(((event.clientX - box.left) / box.width) * width);
    };
    svg.addEventListener("pointerdown", follow);
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerleave", rest);
    svg.addEventListener("keydown", (event) => {
      const there = { ArrowLeft: place - width / 40, ArrowRight: place + width / 40, Home: 0, End: width }[event.key];
      if (there === undefined) return;
      event.preventDefault(); // the page must not scroll
      showAt(there);
    });
    svg.addEventListener("blur", rest);
  }
}

/** Write a value as the charts' axes do. */
function short(value) {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}

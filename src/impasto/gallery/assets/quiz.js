"use strict";

const quiz = document.querySelector(".quiz");
const cards = [...quiz.querySelectorAll("fieldset")];
const message = quiz.querySelector(".status");
let unsaved = false;

quiz.addEventListener("change", (event) => {
  event.target.closest("fieldset")?.classList.remove("missing");
  unsaved = true;
  message.textContent = "";
  count();
});
quiz.addEventListener("submit", (event) => {
  event.preventDefault();
  handIn();
});
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
count(); // after a reload the browser may restore answers

/** Return the answer for a picture: real, painted, or undefined. */
function answer(card) {
  return card.querySelector(":checked")?.value;
}

function count() {
  quiz.querySelector("output").textContent = cards.filter(answer).length;
}

/** Save the answers, or show the first picture without one. */
function handIn() {
  const missing = cards.filter((card) => !answer(card));
  missing.forEach((card) => card.classList.add("missing"));
  if (missing.length) {
    message.textContent = `Please answer every picture; ${missing.length} left.`;
    missing[0].querySelector("input").focus({ preventScroll: true });
    missing[0].scrollIntoView({ block: "center" });
    return;
  }
  const name = quiz.elements.name.value.trim() || "nobody";
  const file = `answers-${name.replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")}.json`;
  save(file, { quiz: quiz.dataset.quiz, name, answers: cards.map(answer) });
  unsaved = false;
  message.textContent = `Saved as ${file}. Send it to the person who gave you this quiz. Thank you!`;
}

function save(file, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

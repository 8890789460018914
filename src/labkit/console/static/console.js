// Comfort only: every page says the same after a reload. Nothing is asked of another machine.
"use strict";

const EVERY = 1000; // milliseconds
const live = () => [...document.querySelectorAll("[data-live]")];
let paused = false;

function parse(text) {
  return new DOMParser().parseFromString(text, "text/html");
}

// Replace parts of this page by those of a newer one with the same id.
function replace(parts, fresh) {
  for (const part of parts) {
    const other = fresh.getElementById(part.id);
    if (other && part.innerHTML !== other.innerHTML) part.innerHTML = other.innerHTML;
  }
}

async function renew() {
  if (document.hidden || paused) return;
  let text;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    text = await response.text();
  } catch {
    return; // the console has ended; the page stays as it was
  }
  if (paused) return; // since it was asked for
  // Leave alone what has the focus or is selected.
  const free = live().filter((part) => !part.contains(document.activeElement) && !selected(part));
  replace(free, parse(text));
}

function selected(part) {
  const selection = getSelection();
  return !selection.isCollapsed && part.contains(selection.anchorNode);
}

async function keepRenewing() {
  await renew();
  setTimeout(keepRenewing, EVERY);
}

if (live().length) setTimeout(keepRenewing, EVERY);

// A form whose answer appears beside its button: a question, or what was done.
const ANSWERS = ".answer, .states[data-live]";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-in-place]")) return;
  event.preventDefault();
  if (form.ariaBusy) return; // pressed twice
  form.ariaBusy = "true";
  const place = placeOf(form);
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const headers = { "X-Requested-With": "fetch" };
    const response = await fetch(form.action, { method: "POST", body, headers });
    if (!response.ok) throw new Error(response.status);
    if (response.headers.get("Content-Type").startsWith("application/json")) {
      location.assign((await response.json()).next); // through the hosts, back to this page
      return;
    }
    replace(document.querySelectorAll(ANSWERS), parse(await response.text()));
  } catch {
    form.removeAttribute("data-in-place"); // let the browser show why it failed
    form.ariaBusy = null;
    form.requestSubmit(event.submitter);
    return;
  }
  form.ariaBusy = null;
  keepFocus(place);
});

document.addEventListener("click", (event) => {
  if (!event.target.matches("[data-cancel]")) return;
  event.preventDefault();
  const place = placeOf(event.target);
  event.target.closest(".answer").replaceChildren();
  keepFocus(place);
});

function placeOf(element) {
  return element.closest(".lab-row, .lab-head, .index-head");
}

// The button that was pressed may be gone with its question.
function keepFocus(place) {
  if (document.activeElement === document.body) place.querySelector("form button").focus();
}

for (const element of document.querySelectorAll("[data-scripted]")) element.hidden = false;

for (const button of document.querySelectorAll("[data-pause]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Go on" : "Pause";
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

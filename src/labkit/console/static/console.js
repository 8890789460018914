// Comfort only: every page says the same after a reload. Nothing is asked of another machine.
"use strict";

const EVERY = 1000; // milliseconds
const live = () => [...document.querySelectorAll("[data-live]")];
let paused = false;

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
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of live()) {
    const other = fresh.getElementById(part.id);
    // What somebody is about to press or to copy is left alone.
    const inUse = part.contains(document.activeElement) || selected(part);
    if (other && !inUse && part.innerHTML !== other.innerHTML) part.innerHTML = other.innerHTML;
  }
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

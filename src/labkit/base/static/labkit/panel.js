// Comfort only: opens the panel with its page, keeps it open from page to page of this tab, and
// sends the instructor's controls without leaving the page.
(() => {
  const bar = document.querySelector(".summary-bar");
  const link = bar.querySelector(".summary-row");
  const byScript = { "X-Requested-With": "fetch" };
  const remember = (open) => { try { sessionStorage.setItem("lab-panel", open ? "1" : ""); } catch { /* blocked */ } };
  const remembered = () => { try { return sessionStorage.getItem("lab-panel"); } catch { return ""; } };
  const parse = (text) => new DOMParser().parseFromString(text, "text/html");

  const hide = () => {
    bar.querySelector(".panel")?.remove();
    bar.removeAttribute("data-open");
    link.setAttribute("aria-expanded", "false");
  };
  const close = () => { hide(); remember(false); };
  // The panel's parts; null if it cannot be loaded.
  const load = async () => {
    const response = await fetch(link.href, { headers: byScript });
    const main = parse(await response.text()).querySelector("main");
    if (!response.ok) return null;
    main.querySelectorAll("h1, .control-state, .clock").forEach((each) => each.remove()); // the bar has them
    return main.childNodes;
  };
  const open = async (byHand) => {
    bar.setAttribute("data-open", "");
    let parts;
    try {
      parts = await load();
    } catch {
      bar.removeAttribute("data-open");
      return; // the server has ended, or this page is being left
    }
    if (!parts) { bar.removeAttribute("data-open"); if (byHand) location.href = link.href; return; }
    const closed = !bar.hasAttribute("data-open");
    if (closed || bar.querySelector(".panel")) return; // closed in the meantime, or opened again
    const panel = document.createElement("div");
    panel.className = "panel";
    panel.append(...parts);
    bar.append(panel);
    link.setAttribute("aria-expanded", "true");
    remember(true);
    const isBeside = getComputedStyle(bar).position === "sticky";
    if (byHand && !isBeside) bar.scrollIntoView({ block: "start" });
  };

  link.setAttribute("aria-expanded", "false");
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    bar.hasAttribute("data-open") ? close() : open(true);
  });
  if (remembered()) open(false);

  // The controls. A screen reader announces what is added to a status that it already knows.
  let status = bar.querySelector("[role=status]");
  const say = (key, nodes) => {
    status.dataset.message = key;
    status.replaceChildren(...nodes);
  };
  const showState = (state) => {
    const old = bar.querySelector(".control-state");
    old.querySelector("[data-server-clock]")?.remove();
    const clock = state.querySelector("[data-server-clock]");
    if (clock) old.prepend(clock);
    bar.dataset.clockAhead = old.dataset.clockAhead = state.dataset.clockAhead;
    const said = state.querySelector("[role=status]");
    say(said.dataset.message, said.childNodes);
  };
  const send = async (form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const response = await fetch(form.action, { method: "POST", body, headers: byScript });
    const page = parse(await response.text());
    const state = page.querySelector(".control-state");
    if (response.ok) {
      showState(state);
      if (!form.matches(".clock")) status.querySelector("a").focus(); // this form is about to go
      const panel = bar.querySelector(".panel");
      if (form.action.endsWith("/reset/")) hide(); // it has deleted this exchange
      else if (panel) panel.replaceChildren(...await load());
    } else if (response.status === 422) {
      const refused = page.querySelector(`form[action="${form.getAttribute("action")}"]`);
      form.replaceWith(refused);
      refused.querySelector("[aria-invalid]").focus();
    } else {
      say("refused", page.querySelector("main p").childNodes);
    }
  };
  if (!bar.querySelector(".clock")) return; // not the instructor's machine
  if (!status) {
    status = document.createElement("p");
    status.setAttribute("role", "status");
    bar.querySelector(".control-state").append(status);
  }
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target, event.submitter).catch(() => say("refused", ["The server does not answer."]));
  });
})();

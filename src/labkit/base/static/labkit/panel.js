// Comfort only: opens the panel below the page, and keeps it open from page to page of this tab.
(() => {
  const line = document.querySelector(".summary-bar");
  const link = line.querySelector("a");
  const remember = (open) => { try { sessionStorage.setItem("lab-panel", open ? "1" : ""); } catch { /* blocked */ } };
  const remembered = () => { try { return sessionStorage.getItem("lab-panel"); } catch { return ""; } };

  const close = () => {
    line.querySelector(".panel")?.remove();
    line.removeAttribute("data-open");
    link.setAttribute("aria-expanded", "false");
    remember(false);
  };
  const open = async (byHand) => {
    line.setAttribute("data-open", "");
    let answer, text;
    try {
      answer = await fetch(link.href);
      text = await answer.text();
    } catch {
      line.removeAttribute("data-open");
      return; // the server has ended, or this page is being left
    }
    if (!answer.ok) { line.removeAttribute("data-open"); if (byHand) location.href = link.href; return; }
    const page = new DOMParser().parseFromString(text, "text/html");
    const panel = document.createElement("div");
    panel.className = "panel";
    page.querySelector("h1").remove(); // the line says the same
    panel.append(...page.querySelector("main").childNodes);
    const closed = !line.hasAttribute("data-open");
    if (closed || line.querySelector(".panel")) return; // closed meanwhile, or opened again
    line.append(panel);
    link.setAttribute("aria-expanded", "true");
    remember(true);
  };

  link.setAttribute("aria-expanded", "false");
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    line.hasAttribute("data-open") ? close() : open(true);
  });
  if (remembered()) open(false);
})();

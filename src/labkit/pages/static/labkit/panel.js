// Comfort only: opens the panel below the page, and keeps it open from page to page of this tab.
(() => {
  const line = document.querySelector(".lab-line");
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
    const answer = await fetch(link.href);
    if (!answer.ok) { line.removeAttribute("data-open"); if (byHand) location.href = link.href; return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const panel = document.createElement("div");
    panel.className = "panel";
    page.querySelector("h1").remove(); // the line says the same
    panel.append(...page.querySelector("main").childNodes);
    if (!line.hasAttribute("data-open")) return; // closed meanwhile
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

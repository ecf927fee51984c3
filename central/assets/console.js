// Keeps the page current by server-sent events and gives the keyboard its shortcuts. Everything also works without it.
const main = document.querySelector("main");
let waiting = null;
async function refresh() {
  waiting = null;
  if (main.querySelector("input:not([type=checkbox]):focus, select:focus, textarea:focus") || main.querySelector("form[data-changed], [data-still]")) return;
  const answer = await fetch(location.href, { headers: { "X-Fragment": "1" } });
  if (!answer.ok || answer.redirected) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const held = document.activeElement;
  const opened = new Map([...main.querySelectorAll("details")].map(part => [named(part), part.open]));
  main.replaceChildren(...page.querySelector("main").childNodes);
  for (const part of main.querySelectorAll("details")) part.open = opened.get(named(part)) ?? part.open;
  const same = link => link.getAttribute("href") === held.getAttribute("href") && link.className === held.className;
  if (held?.matches("a")) [...main.querySelectorAll("a")].find(same)?.focus({ preventScroll: true });
  outline();
}
// What a part that opens is called, less what it counts: that may have changed.
function named(part) {
  const [heading, summary] = [part.closest("section")?.querySelector("h2"), part.querySelector("summary")];
  return `${heading?.textContent} ${summary?.textContent}`.replace(/\d/g, "");
}
// Outlines are in pixels of the picture they lie on.
function outline() {
  for (const box of main.querySelectorAll(".seen")) {
    const [picture, lines] = [box.querySelector("img"), box.querySelector("svg")];
    const fit = () => lines.setAttribute("viewBox", `0 0 ${picture.naturalWidth} ${picture.naturalHeight}`);
    if (picture.complete && picture.naturalWidth) fit(); else picture.addEventListener("load", fit);
  }
}
outline();
setInterval(() => {
  for (const picture of main.querySelectorAll("img[data-live]")) picture.src = `${picture.dataset.live}?at=${Date.now()}`;
}, 500);
const soon = () => { waiting ??= setTimeout(refresh, 250); };
if (document.body.dataset.live) {
  const events = new EventSource("/console/events");
  const page = document.body.dataset.live;
  if (page === "lanes") events.addEventListener("lane", soon);
  if (page === "workbench" || page === "bay") events.addEventListener("declared", soon);
  if (page === "queue" || page === "bay") events.addEventListener("passage", soon);
  events.addEventListener("open", soon);
}
main.addEventListener("input", e => { if (e.target.form) e.target.form.dataset.changed = "1"; });
main.addEventListener("click", e => {
  const pick = e.target.closest("[data-pick]");
  if (!pick) return;
  const field = document.getElementById(pick.dataset.field);
  field.value = pick.dataset.pick;
  field.form.dataset.changed = "1";
});
document.addEventListener("keydown", e => {
  if (e.target.matches("input, select, textarea") || e.ctrlKey || e.metaKey || e.altKey) return;
  const press = id => { const b = document.getElementById(id); if (b) { e.preventDefault(); b.click(); } };
  const key = e.key.toLowerCase();
  if (/^[1-9]$/.test(key)) document.querySelectorAll("[data-pick]")[Number(key) - 1]?.click();
  else if (key === "r") press("verdict-release");
  else if (key === "i") press("verdict-inspect");
  else if (key === "d") press("verdict-documents");
  else if (key === "u") press("undo");
  else if (key === "e") { e.preventDefault(); document.querySelector("input[name^=mark]")?.focus(); }
  else if (key === "j" || key === "k") {
    const links = [...document.querySelectorAll(".list a")];
    const at = links.findIndex(l => l.hasAttribute("aria-current"));
    links[at + (key === "j" ? 1 : -1)]?.click();
  }
});

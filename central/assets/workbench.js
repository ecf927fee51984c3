// The keyboard and the clocks of the workbench. Everything also works without it.
const main = document.querySelector("main");
const clock = ms => {
  const s = Math.floor((ms - Date.now() - skew) / 1000), a = Math.abs(s);
  const two = n => String(n).padStart(2, "0");
  return `${s < 0 ? "−" : ""}${Math.floor(a / 3600)}:${two(Math.floor(a / 60) % 60)}:${two(a % 60)}`;
};
// The server's clock counts: what it wrote says how far ours is off.
let skew = 0;
const first = main.querySelector("[data-arrives]");
if (first) {
  const [, sign, h, m, s] = first.textContent.match(/(−?)(\d+):(\d+):(\d+)/);
  const written = (sign ? -1 : 1) * ((+h * 60 + +m) * 60 + +s) * 1000;
  skew = first.dataset.arrives - written - Date.now();
}
setInterval(() => {
  for (const place of main.querySelectorAll("[data-arrives]")) {
    place.textContent = clock(+place.dataset.arrives);
    place.classList.toggle("stop", +place.dataset.arrives < Date.now() + skew);
  }
}, 1000);
const links = () => [...main.querySelectorAll("tr[data-row] a.mark")];
const step = by => {
  const all = links(), at = all.findIndex(link => link.closest("tr").contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
};
// Enter opens what stands first.
const focusFirst = () => {
  if (document.activeElement === document.body && !main.querySelector("[role=alert]")) links()[0]?.focus({ preventScroll: true });
};
focusFirst();
new MutationObserver(focusFirst).observe(main, { childList: true });
const chosen = field => {
  field.checked = field.type === "checkbox" ? !field.checked : true;
  field.dispatchEvent(new Event("input", { bubbles: true }));
};
document.addEventListener("keydown", e => {
  const typing = e.target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.target.form?.requestSubmit(); return; }
  if (e.key === "Escape" && typing) { e.target.blur(); return; }
  if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
  const key = e.key.toLowerCase();
  const row = document.activeElement.closest?.("tr[data-row]");
  if (key === "j" || key === "k") { e.preventDefault(); step(key === "j" ? 1 : -1); }
  else if (key === "x" && row) { const box = row.querySelector("input[name=m]:enabled"); if (box) chosen(box); }
  else if (key === "t") document.getElementById("take")?.click();
  else if (key === "b" && main.querySelector(".bulk")) { main.querySelector(".bulk").open = true; main.querySelector(".bulk [name=code]").focus(); }
  else if (key === "q") document.querySelector("header nav a[href='/console/workbench']")?.click();
  else if (/^[1-5]$/.test(key)) {
    const bulk = main.querySelector(".bulk");
    if (bulk) bulk.open = true;
    const code = main.querySelector(`[name=code][data-key="${key}"]`);
    if (!code) return;
    e.preventDefault();
    chosen(code);
    code.closest("form").querySelector("[name=basis]").focus();
  }
});

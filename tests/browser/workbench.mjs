// A selector's morning at the workbench, in a real browser: from sign-in to ten decided movements, mostly by the keyboard; another
// officer's second look; an inspection at the bay on a phone; what figures tell of the model. Arguments: address, folder for screenshots,
// language, phase (`morning`, `bay` or `model`), password; of the bay: a photograph.
// Prints one JSON line with what was seen; any failure ends it with a message and exit code 1.
import { office } from "./officers.mjs";

const [address, shots, language, phase, password, photograph] = process.argv.slice(2);
const { person, walk } = await office({ address, shots, language, password, name: "workbench" });

/** By the keyboard alone: the code's number, what led to it, the reason, sent. */
async function decide(page, code, reason) {
  await page.keyboard.press(code);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.type(reason);
  await page.keyboard.press("Control+Enter");
}

async function morning() {
  const { page, look } = await person("lam", { width: 1280, height: 900 });
  const before = Number(await page.locator(".filters a b").first().innerText());
  await look("queue");
  const clock = await page.locator("[data-arrives]").first().innerText();
  await page.waitForFunction(text => document.querySelector("[data-arrives]").textContent !== text, clock);
  let decided = 0;
  for (const [code, reason] of [["3", "value below the usual one"], ["1", "known parties"], ["2", "licence to be seen"], ["1", "known parties"],
    ["1", "known parties, 熟客"], ["3", "weight does not fit the packages"], ["1", "known parties"]]) {
    // The first in the queue has the focus.
    await page.waitForFunction(() => document.activeElement.matches("tr[data-row] a.mark"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/movements/);
    if (decided === 0) await look("movement");
    await page.waitForSelector("#decide form textarea");
    await decide(page, code, reason);
    await page.waitForURL(/told=wb-told-given/);
    decided += 1;
    if (decided === 1) await look("decided");
  }
  // Three at once: checked by the keyboard.
  await page.waitForFunction(() => document.activeElement.matches("tr[data-row] a.mark"));
  for (const key of ["x", "j", "x", "j", "x"]) await page.keyboard.press(key);
  await page.keyboard.press("1");
  await look("bulk");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.type("empties of a known carrier");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("[role=status] .counted");
  decided += 3;
  await look("bulk-done");
  const after = Number(await page.locator(".filters a b").first().innerText());

  // A downgrade waits for another officer, who sees it come without a reload.
  const other = await person("ng", { width: 1280, height: 900 });
  await other.page.goto(`${address}/console/workbench?view=second`);
  await page.goto(`${address}/console/workbench?view=coded`);
  await page.locator("tr[data-row]", { has: page.locator(".code.stop") }).first().locator("a.mark").click();
  await page.waitForURL(/movements/);
  await decide(page, "1", "documents have come");
  await page.waitForURL(/told=wb-told-waits/);
  await other.page.waitForSelector("tr[data-row] a.mark", { timeout: 10_000 });
  await other.page.locator("tr[data-row] a.mark").first().click();
  await other.page.waitForSelector(".second button");
  await other.look("second");
  await other.page.click(".second button[value=yes]");
  await other.page.waitForURL(/told=wb-told-approved/);

  // Work goes to the next shift.
  await page.goto(`${address}/console/workbench`);
  await page.waitForFunction(() => document.activeElement.matches("tr[data-row] a.mark"));
  await page.keyboard.press("Enter");
  await page.waitForURL(/movements/);
  await page.waitForSelector("#take");
  await page.keyboard.press("t");
  await page.waitForURL(/told=wb-told-taken/);
  await page.goto(`${address}/console/workbench/handover`);
  await page.selectOption("[name=to]", "ng");
  await page.fill("[name=note]", "Call the consignee at nine.");
  await look("handover");
  await page.click("form.decision button.primary");
  await page.waitForURL(/told=wb-told-handed-over/);
  await other.page.goto(`${address}/console/workbench/handover`);
  await other.look("handed-over");
  await page.goto(`${address}/console/figures`);
  await look("figures");
  return { decided, before, after };
}

async function bay() {
  const { page, look } = await person("yip", { width: 390, height: 844 }, 2);
  // Where there are several control points, one is chosen first.
  if (await page.locator(".bay .filters a").count()) await page.locator(".bay .filters a").first().click();
  await page.waitForSelector("a.panel");
  await look("bay");
  await page.locator("a.panel").first().click();
  await page.waitForSelector("input[type=file]");
  await look("bay-vehicle");
  await page.setInputFiles("input[type=file]", photograph);
  await page.locator("form[enctype] button").click();
  await page.waitForURL(/told=bay-told-photographs/);
  await page.waitForFunction(() => document.querySelector(".shots img")?.naturalWidth > 0);
  await page.check("[name=result][value=found]");
  await page.check("[name=check][value=seals]");
  await page.locator("button.primary").click();
  await page.waitForSelector("[role=alert]");
  await look("bay-wrong");
  await page.check("[name=category][value=undeclared]");
  await page.fill("[name=quantity]", "12 cartons");
  await page.locator("button.primary").click();
  await page.waitForURL(/told=bay-told-inspected/);
  await look("bay-done");
  const selector = await person("lam", { width: 1280, height: 900 });
  await selector.page.goto(`${address}/console/figures`);
  await selector.look("figures-after");
  await selector.page.goto(`${address}/console/workbench`);
  await selector.page.locator("tr[data-row] a.mark").first().click();
  await selector.page.waitForSelector("#decide");
  await selector.look("similar");
  return { inspected: 1 };
}

/** How far the model is off, as figures show it: on a screen, and on a phone. */
async function model() {
  const { page, look } = await person("lam", { width: 1280, height: 900 });
  const panel = "section.chart:has(a[href$='model.csv'])";
  // Newer figures come when the page hears of central: not before the numbers have been opened.
  let hear;
  const opened = new Promise(resolve => { hear = resolve; });
  await page.route("**/console/events", async route => { await opened; await route.continue(); });
  // Central looks at the model as soon as it has started.
  for (let attempt = 0; attempt < 50; attempt += 1) {
    await page.goto(`${address}/console/figures`);
    if (await page.locator(`${panel} svg`).count()) break;
    await page.waitForTimeout(200);
  }
  const [rows, inspected, indices] = await page.evaluate(panel => {
    const numbers = document.querySelector(`${panel} details`);
    numbers.open = true;
    numbers.id = "older";
    const counts = [...numbers.querySelectorAll("tbody tr td:nth-child(2)")].map(cell => Number(cell.textContent));
    const told = [...numbers.querySelectorAll("p")].filter(words => /\d\.\d\d/.test(words.textContent.replace(/0\.(10|25)/g, "")));
    return [counts.length, counts.reduce((a, b) => a + b, 0), told.length];
  }, panel);
  hear();
  await page.locator("#older").waitFor({ state: "detached" });
  const stillOpen = await page.locator(`${panel} details`).evaluate(numbers => numbers.open);
  await look("model");
  const { page: small, look: lookAtSmall } = await person("ng", { width: 390, height: 844 }, 2);
  await small.goto(`${address}/console/figures`);
  await lookAtSmall("model-phone");
  return { rows, inspected, indices, stillOpen };
}

await walk({ morning, bay, model }[phase]);

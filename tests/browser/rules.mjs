// The life of a rule, in a real browser: written with a mistake that is told, mended, simulated, approved by another officer, its first
// hit; then asked to be withdrawn, and withdrawn. Arguments: address, folder for screenshots, language, phase (`write` or `hit`), password,
// a movement that the rule must hit. Prints one JSON line with what was seen; any failure ends it with a message and exit code 1.
import { office } from "./officers.mjs";

const [address, shots, language, phase, password, movement] = process.argv.slice(2);
const { person, walk } = await office({ address, shots, language, password, name: "rules" });

/** An officer at the rules. */
async function selector(name, width = 1280) {
  const { page, look } = await person(name, { width, height: 900 });
  await page.goto(`${address}/console/rules`);
  return { page, look };
}

const step = (page, name) => page.click(`#next button[value=${name}]`);

async function write() {
  const { page, look } = await selector("lam");
  await look("none");
  await page.click("a.button");
  await page.waitForSelector("form.rule");
  await page.fill("[name=id]", "dear-toys");
  await page.fill("[name=purpose]", "Toys of this value were something else last month.");
  await page.fill("[name=condition]", "consignments.exists(c, c.description.contains(\"toys\") && c.value > 50000)");
  await page.selectOption("[name=measure]", "inspect");
  await page.fill("[name=example-0]", "dear");
  await page.fill("[name=base-0]", movement);
  await page.fill("[name=example-1]", "cheap");
  await page.selectOption("[name=holds-1]", "no");
  await page.click("form.rule button.primary");
  // The condition asks for what is no fact: it is told, and nothing is lost.
  await page.waitForSelector("[role=alert]");
  const told = await page.locator("[role=alert]").innerText();
  await look("wrong");
  if (await page.inputValue("[name=base-0]") !== movement) throw new Error("what was typed is lost");
  await page.fill("[name=condition]", "consignments.exists(c, c.description.contains(\"toys\") && c.value_hkd > 50000)");
  await page.click("form.rule button.primary");
  await page.waitForURL(/told=rule-told-written/);
  await look("draft");
  await step(page, "simulate");
  await page.waitForURL(/told=rule-told-simulated/);
  await page.waitForSelector("#simulation svg");
  await look("simulated");
  const own = await page.locator("#next button[value=enforce]").count();

  const other = await selector("ng");
  await other.page.click("tbody a");
  await other.page.waitForSelector("#next button[value=enforce]");
  await other.look("second");
  await step(other.page, "enforce");
  await other.page.waitForURL(/told=rule-told-in-force/);
  return { told, own };
}

async function hit() {
  const { page, look } = await selector("lam");
  await look("list");
  await page.click("tbody a");
  await page.waitForSelector("#first-hit a");
  const mark = await page.locator("#first-hit a").innerText();
  await look("hit");
  await page.click("#first-hit a");
  await page.waitForSelector("ol.reasons li");
  const reason = await page.locator("ol.reasons").first().innerText();
  await look("movement");
  await page.goBack();
  await page.fill("[name=why]", "Nothing was found.");
  await step(page, "ask-withdrawal");
  await page.waitForURL(/told=rule-told-asked/);
  await look("asked");
  const other = await selector("ng", 390);
  await other.page.click("tbody a");
  await other.page.waitForSelector("#next button[value=withdraw]");
  await other.look("leaving-phone");
  await step(other.page, "withdraw");
  await other.page.waitForURL(/told=rule-told-withdrawn/);
  return { mark, reason };
}

await walk({ write, hit }[phase]);

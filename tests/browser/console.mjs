// An officer at the console, in a real browser. Arguments: address, folder for screenshots, the vehicle's mark, and what to
// correct its mainland plate to.
// Prints one JSON line with what was seen; any failure ends it with a message and exit code 1.
import { chromium } from "playwright-core";

const [address, shots, mark, mainland] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", error => errors.push(String(error)));
  page.on("console", line => { if (line.type() === "error") errors.push(line.text()); });
  const shot = name => page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });

  await page.goto(`${address}/console/queue`);
  await page.fill("input[name=name]", "chan");
  await page.fill("input[name=password]", "clearlane demo");
  await shot("sign-in");
  await page.click("main button");
  await page.waitForURL(/\/console\/(queue|lanes)/);

  // The dirty truck comes to the queue by itself, without a reload.
  await page.goto(`${address}/console/queue`);
  await page.waitForSelector("#verdict-release", { timeout: 90_000 });
  // The pictures follow a moment later.
  await page.waitForFunction(() => {
    const seen = document.querySelector(".seen img");
    return seen && seen.naturalWidth > 0 && document.querySelector(".seen svg").hasAttribute("viewBox")
      && [...document.querySelectorAll(".crop")].every(crop => crop.naturalWidth > 0);
  }, null, { timeout: 60_000 });
  await shot("queue");
  // Another language shows the same page, not the first one.
  const speak = async language => {
    const before = page.url();
    await page.click(`header a[lang=${language}]`);
    await page.waitForSelector(`html[lang=${language}]`);
    if (page.url() !== before) throw new Error(`${language} leads from ${before} to ${page.url()}`);
  };
  for (const language of ["zh-Hant", "zh-Hans"]) {
    await speak(language);
    await page.waitForSelector("#verdict-release");
    await shot(`queue-${language}`);
  }
  await page.goto(`${address}/console/lanes`);
  for (const [language, name] of [["zh-Hant", "lanes-zh-Hant"], ["en", "lanes"]]) {
    await speak(language);
    await page.waitForFunction(() => document.querySelector(".cards section img")?.naturalWidth > 0);
    await shot(name);
  }

  // One plate is corrected, what is no plate is said to be none, the vehicle's mark is typed, and one key releases.
  await page.goto(`${address}/console/queue`);
  const fields = page.locator(".plates input.mark");
  const read = [];
  for (let i = 0; i < await fields.count(); i++) read.push(await fields.nth(i).inputValue());
  const dark = read.findIndex(text => text.startsWith("粤"));
  if (dark < 0) throw new Error(`no mainland plate among ${read}`);
  // Nonsense is refused with its reason, and nothing is sent to the lane.
  await fields.nth(dark).fill("<b>");
  await page.click("#verdict-read");
  await page.waitForSelector("[role=alert]");
  const refused = await page.textContent("[role=alert]");
  for (let i = 0; i < read.length; i++) {
    if (i === dark) await fields.nth(i).fill(mainland);
    else await page.check(`[name=not_plate_${i}]`);
  }
  await page.fill("#mark_9999", mark);
  await page.locator("h1").click();
  await page.keyboard.press("r");
  await page.waitForSelector("[role=status]");
  await shot("decided");
  await page.goto(`${address}/console/history`);
  await page.waitForSelector("table");
  await shot("history");
  await speak("zh-Hant");
  await page.waitForSelector("table");
  await shot("history-zh-Hant");
  console.log(JSON.stringify({ read, refused, errors }));
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  await browser.close();
}

// Officers at screens of their own, in a real browser: signed in, with pictures of their pages and what axe has against them.
import { chromium } from "playwright-core";
import { violationsOn } from "./axe.mjs";

/** A browser in a language; `name` begins the pictures' names in `shots`. */
export async function office({ address, shots, language, password, name }) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const errors = [], violations = [], keys = [];
  const locale = { en: "en-GB", "zh-Hant": "zh-HK", "zh-Hans": "zh-CN" }[language];

  /** Somebody at a screen, signed in. */
  async function person(login, viewport, scale = 1) {
    const context = await browser.newContext({ viewport, deviceScaleFactor: scale, locale });
    const page = await context.newPage();
    page.on("pageerror", error => errors.push(String(error)));
    page.on("console", line => { if (line.type() === "error") errors.push(line.text()); });
    await page.goto(`${address}/console/sign-in`);
    await page.fill("input[name=name]", login);
    await page.fill("input[name=password]", password);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/console\/(workbench|bay)/);
    /** A picture of the page, what axe has against it, and keys that nobody has given words to. */
    const look = async shot => {
      await page.screenshot({ path: `${shots}/${name}-${language}-${shot}.png`, fullPage: true });
      violations.push(...(await violationsOn(context, page)).map(text => `${shot}: ${text}`));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) violations.push(`${shot}: ${wide} pixels too wide`);
      const words = await page.locator("body").innerText();
      keys.push(...(words.match(/\b(wb|bay|fig|rule)-[a-z]+(-[a-z]+)*\b/g) ?? []));
    };
    return { page, look };
  }

  /** Do a phase and print what was seen as one JSON line; a failure ends the program with its words and exit code 1. */
  async function walk(phase) {
    try {
      const seen = await phase();
      console.log(JSON.stringify({ ...seen, errors, violations, keys }));
    } catch (error) {
      console.error(String(error), JSON.stringify({ errors, violations, keys }));
      process.exitCode = 1;
    } finally {
      await browser.close();
    }
  }

  return { person, walk };
}

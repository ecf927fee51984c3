// A newcomer at the trade's portal, in a real browser: takes an invitation, adds a passkey, lodges, announces a vehicle on a phone's screen,
// and follows it until it is released. Arguments: address, folder for screenshots, language, path of the invitation, a mark, and the
// mainland mark if there is one.
// Prints the movement's id once the vehicle is announced, then one JSON line with what was seen; any failure ends it with a message and exit code 1.
import { createHmac } from "node:crypto";
import { chromium } from "playwright-core";
import { violationsOn } from "./axe.mjs";

const [address, shots, language, invitation, mark, mainland] = process.argv.slice(2);
const locale = { en: "en-GB", "zh-Hant": "zh-HK", "zh-Hans": "zh-CN" }[language];

/** The one-time password of now (RFC 6238) of a secret in base32. */
function oneTimePassword(secret) {
  const bits = [...secret].map(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(step).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, locale });
  const page = await context.newPage();
  const errors = [], violations = [], foreign = [], keys = [];
  page.on("pageerror", error => errors.push(String(error)));
  page.on("console", line => { if (line.type() === "error" && !/status of (4\d\d)/.test(line.text())) errors.push(line.text()); });
  /** A picture of the page, and what axe has against it. */
  const look = async name => {
    await page.screenshot({ path: `${shots}/portal-${language}-${name}.png`, fullPage: true });
    const found = await violationsOn(context, page);
    violations.push(...found.map(text => `${name}: ${text}`));
    // Wider than the screen: somebody would have to scroll sideways.
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) violations.push(`${name}: ${wide} pixels too wide`);
    if (await page.locator("html").getAttribute("lang") !== language) foreign.push(name);
    // Keys that nobody has given words to; whoever signs in has a name of the same form.
    const words = await page.locator("body").innerText();
    keys.push(...(words.match(/\b[a-z]+-[a-z]+-[a-z]+\b/g) ?? []).filter(key => !key.startsWith("learner-")));
  };
  const submit = () => page.locator("main button[type=submit]:not([name]):visible").first().click();

  await page.goto(address + invitation);
  await look("invitation");
  const secret = await page.locator(".portal-code").innerText();
  const login = await page.inputValue("[name=username]");
  await page.fill("[name=password]", "short");
  await page.fill("[name=code]", "0");
  await submit();
  await page.waitForSelector(".govuk-error-summary");
  await look("invitation-wrong");
  await page.fill("[name=password]", "a long password");
  await page.fill("[name=code]", oneTimePassword(secret.trim()));
  await submit();
  await page.waitForURL(/\/trade\/account/);

  // A passkey, and with it a second sign-in.
  const devices = await context.newCDPSession(page);
  await devices.send("WebAuthn.enable");
  await devices.send("WebAuthn.addVirtualAuthenticator", { options: {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  } });
  await page.fill("[data-passkey] input", "phone");
  await page.click("[data-passkey] button");
  await page.waitForSelector("form[action='/trade/account/passkeys/remove']");
  await look("account");
  await page.click("form[action='/trade/sign-out'] button");
  await page.waitForURL(/sign-in/);
  await look("sign-in");
  await page.fill("[name=login]", login.trim());
  await page.click("[data-passkey] button");
  await page.waitForURL(/\/trade$/);
  await look("home");

  // A webhook to where nobody listens: what comes of it is looked at in the end.
  await page.goto(`${address}/trade/webhooks`);
  await look("webhooks");
  const sendsWebhooks = await page.locator("[name='/url']").count() > 0;
  if (sendsWebhooks) {
    await page.fill("[name='/url']", "nowhere");
    await submit();
    await page.waitForSelector(".govuk-error-summary");
    await look("webhooks-wrong");
    await page.fill("[name='/url']", "http://127.0.0.1:9/clearlane");
    await submit();
    await page.waitForSelector(".portal-code");
    await look("webhook-secret");
  }

  await page.goto(`${address}/trade/consignments/new`);
  await look("lodge");
  await submit();
  await page.waitForSelector(".govuk-error-summary");
  await look("lodge-wrong");
  await page.check("[name='/direction'][value=inbound]");
  await page.selectOption("[name='/expected_date']", { index: 1 });
  await page.fill("[name='/packages']", "12");
  await page.selectOption("[name='/package_kind']", "CT");
  await page.fill("[name='/description']", "Toys of plastic, 玩具");
  for (const who of ["consignor", "consignee"]) {
    await page.fill(`[name='/${who}/name']`, who === "consignor" ? "Acme 有限公司" : "Bolt Ltd");
    await page.fill(`[name='/${who}/address']`, "1 Road\nKowloon");
  }
  // The keyboard sends it as well.
  await page.locator("button[type=submit]:not([name]).govuk-button").last().focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/trade\/consignments\/[0-9A-Z]{13}\?done=lodged/);
  const ccrn = page.url().match(/consignments\/([0-9A-Z]{13})/)[1];
  await look("lodged");
  await page.goto(`${address}/trade/consignments/${ccrn}/slip`);
  await look("slip");
  await page.goto(`${address}/trade/consignments/upload`);
  await look("upload");
  await page.goto(`${address}/trade/vehicles`);
  await page.fill("[name='/mark']", mark);
  await submit();
  await page.waitForURL(/done=saved/);
  await look("vehicles");

  await page.goto(`${address}/trade/movements/new?ccrn=${ccrn}`);
  // In training a truck arrives when it is expected: now, at the control point.
  await page.fill("[name='/time']", new Date().toLocaleTimeString("en-GB", { timeZone: "Asia/Hong_Kong" }).slice(0, 5));
  if (mainland) {
    await page.selectOption("[name='/vehicle']", "");
    await page.click("details summary");
    await page.fill("[name='/mark']", mark);
    await page.fill("[name='/mainland_mark']", mainland);
  } else {
    await page.selectOption("[name='/vehicle']", mark);
  }
  await look("bundle");
  await submit();
  await page.waitForURL(/\/trade\/movements\/m-[0-9a-z]+\?done=bundled/);
  await look("bundled");
  const movement = page.url().split("?")[0];
  console.log(movement.split("/").at(-1));
  const seen = [];
  for (const until = Date.now() + 120_000; Date.now() < until; await page.waitForTimeout(500)) {
    await page.goto(movement);
    const status = await page.locator(".portal-status").innerText();
    if (seen.at(-1) !== status) seen.push(status);
    if (await page.locator(".portal-status .govuk-tag--green").count()) break;
  }
  await look("released");
  await page.goto(`${address}/trade/news`);
  await look("news");

  await page.goto(`${address}/trade/contact`);
  await look("contact-nobody");
  await page.goto(`${address}/trade/contact/change`);
  await look("contact-change");
  await page.fill("[name='/emails/0/address']", "nobody");
  await page.fill("[name='/mobiles/0/number']", "9123 4567");
  await page.check("[name='/mobiles/0/width'][value=some]");
  await submit();
  await page.waitForSelector(".govuk-error-summary");
  await look("contact-wrong");
  await page.fill("[name='/emails/0/address']", "traffic@example.com");
  await page.check("[name='/emails/0/own']");
  await page.fill("[name='/mobiles/0/number']", "+852 9123 4567");
  await page.check("[name='/mobiles/0/news'][value=report]");
  await page.click("button[name=more][value=emails]");
  await page.waitForSelector("[name='/emails/1/address']");
  await submit();
  await page.waitForURL(/done=told/);
  await look("contact");
  if (sendsWebhooks) {
    await page.goto(`${address}/trade/webhooks`);
    await page.click(".govuk-task-list__link");
    await page.waitForSelector("button[name=again]");
    await look("webhook");
    await page.click("button[name=again]");
    await page.waitForURL(/done=again/);
    await page.locator("button[type=submit]:not([name])").last().click();
    await page.waitForSelector(".govuk-error-summary");
    await look("webhook-replay-wrong");
    await page.selectOption("[name='/since']", { index: 1 });
    await page.locator("button[type=submit]:not([name])").last().click();
    await page.waitForURL(/done=replayed/);
    await page.click("button[name=pause]");
    await page.waitForURL(/done=paused/);
    await look("webhook-paused");
    await page.click("main a[href$='/remove']");
    await look("webhook-remove");
    await submit();
    await page.waitForURL(/done=webhook-removed/);
  }
  console.log(JSON.stringify({ ccrn, seen, errors, violations, foreign, keys }));
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  await browser.close();
}

// Runs one Playwright script in a Chromium of its own. It comes on stdin as { script, args }, with `page`, `context`,
// `browser` and `args` in its scope; what it returns is printed as JSON, with what the page said on its console.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const TIME_LIMIT = 60_000;
const FLAGS = [
  "--no-sandbox", // the tests run as root
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--ignore-certificate-errors", // HTTP/2 in a browser needs TLS: the tests sign their own
];

const { script, args } = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({ executablePath: installed("chromium"), args: FLAGS });
setTimeout(() => fail(new Error(`not done after ${TIME_LIMIT} ms`)), TIME_LIMIT).unref();
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const console = [];
  page.on("console", (message) => console.push(message.text()));
  page.on("pageerror", (error) => console.push(String(error)));
  const AsyncFunction = (async () => {}).constructor;
  const run = new AsyncFunction("page", "context", "browser", "args", script);
  const value = await run(page, context, browser, args);
  process.stdout.write(JSON.stringify({ value: value ?? null, console }));
  await browser.close();
} catch (error) {
  await fail(error);
}

async function fail(error) {
  process.stderr.write(`${error.stack ?? error}\n`);
  await browser.close();
  process.exit(1);
}

function installed(name) {
  for (const folder of process.env.PATH.split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // look in the next
    }
  }
  throw new Error(`${name} is not installed: scripts/install brings it`);
}

import { HEADER, readNow, readOn } from "./reading.js";
import { startSession } from "./session.js";

// a press waits for the session too: a request that is sent too early has none
const session = fetch("/page/config.json").then((response) => response.json()).then(startSession);
session.then(introduce);
for (const button of document.querySelectorAll("button[data-path]")) {
  button.addEventListener("click", () => press(button));
}
readOn(session);

function introduce({ id, from }) {
  document.querySelector("#session-id").textContent = id;
  document.querySelector("#session-from").textContent = from;
  document.querySelector("#curl").textContent = `curl -i -H '${HEADER}: ${id}' ${location.origin}/api/error`;
}

// an <output> is a live region: a screen reader says the answer
async function press(button) {
  const output = button.parentElement.querySelector("output");
  const { path } = button.dataset;
  output.className = "";
  output.textContent = "…";
  try {
    const { ok, text } = await ("stream" in button.dataset ? stream(path, output) : ask(path));
    output.className = ok ? "ok" : "failed";
    output.textContent = text;
  } catch {
    output.className = "failed";
    output.textContent = "no answer";
  }
  readNow();
}

// this one header is all that the backend needs
async function ask(path) {
  const { id } = await session;
  const response = await fetch(path, { headers: { [HEADER]: id } });
  return { ok: response.ok, text: `${response.status} ${await response.text()}` };
}

// an EventSource cannot set a header, so the id goes into the address
async function stream(path, output) {
  const { id } = await session;
  return new Promise((ended, failed) => {
    const events = new EventSource(`${path}?${new URLSearchParams({ [HEADER]: id })}`);
    let last = 0;
    events.addEventListener("step", ({ data }) => {
      last = Number(data);
      output.textContent = `200 event ${data}`;
      readNow();
    });
    events.onerror = () => {
      // the stream's end looks the same; an EventSource left open would ask for it again
      events.close();
      last > 0 ? ended({ ok: true, text: `200 ${last} events` }) : failed();
    };
  });
}

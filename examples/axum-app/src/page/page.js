import { HEADER, readNow, readOn } from "./reading.js";
import { startSession } from "./session.js";

// a press waits for the session as well: a request that is sent too early has none
const session = startSession();
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

const latest = new WeakMap(); // of each button, its latest press

// an <output> is a live region: screen readers announce the response
async function press(button) {
  const output = button.parentElement.querySelector("output");
  const { path } = button.dataset;
  const mine = Symbol(path);
  latest.set(button, mine);
  // two requests of one button can run at once: only the later one is shown
  const show = (text, className = "") => {
    if (latest.get(button) === mine) {
      Object.assign(output, { textContent: text, className });
    }
  };
  show("…");
  try {
    const { ok, text } = await ("stream" in button.dataset ? stream(path, show) : request(path));
    show(text, ok ? "ok" : "failed");
  } catch {
    show("no response", "failed");
  }
  readNow();
}

// the backend needs only this header
async function request(path) {
  const { id } = await session;
  const response = await fetch(path, { headers: { [HEADER]: id } });
  return { ok: response.ok, text: `${response.status} ${await response.text()}` };
}

// an EventSource cannot set a header, so the id goes into the address
async function stream(path, show) {
  const { id } = await session;
  return new Promise((ended, failed) => {
    const events = new EventSource(`${path}?${new URLSearchParams({ [HEADER]: id })}`);
    let last = 0;
    events.addEventListener("step", ({ data }) => {
      last = Number(data);
      show(`200 event ${data}`);
      readNow();
    });
    events.onerror = () => {
      // the end of the stream looks the same; an open EventSource would request it again
      events.close();
      last > 0 ? ended({ ok: true, text: `200 ${last} events` }) : failed();
    };
  });
}

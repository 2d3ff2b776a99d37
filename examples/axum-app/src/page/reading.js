// Reads the session's rows again and again: as OpenReplay's panel shows the records that are stored.
import { clear, show } from "./records.js";

export const HEADER = "openReplaySession.id";

const trouble = document.querySelector("#trouble");
const empty = document.querySelector("#empty");
const rows = document.querySelector("#rows");
const PAUSE = 500;

let id;
let shown = [];
let reading = false;
let again = false;

/** Reads twice a second from now on, while the page is visible. */
export async function readOn(session) {
  ({ id } = await session);
  for (;;) {
    if (!document.hidden) {
      await readNow();
    }
    await new Promise((later) => setTimeout(later, PAUSE));
  }
}

/** Reads at once, after a request. */
export async function readNow() {
  again = true;
  if (reading || id === undefined) {
    return;
  }
  reading = true;
  while (again) {
    again = false;
    try {
      await read();
      trouble.hidden = true;
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
    // next to an error, an invitation to press a button would mislead
    empty.hidden = !trouble.hidden || rows.children.length > 0;
  }
  reading = false;
}

// all of them each time, in the order in which OpenReplay gets them: usually the new ones are at the end
async function read() {
  const response = await fetch("/api/records", { headers: { [HEADER]: id } }).catch(() => {
    throw new Error("The app does not respond. Is it still running?");
  });
  if (!response.ok) {
    throw new Error(await response.text());
  }
  const { rows: found } = await response.json();
  const texts = found.map((row) => JSON.stringify(row));
  if (!shown.every((text, index) => text === texts[index])) {
    shown = [];
    clear();
  }
  show(found.slice(shown.length));
  shown = texts;
}

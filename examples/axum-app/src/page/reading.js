// Reads the session's rows again and again: as OpenReplay's panel shows the records that are stored.
import { clear, show } from "./records.js";

export const HEADER = "openReplaySession.id";

const trouble = document.querySelector("#trouble");
const PAUSE = 500;

let id;
let shown = [];
let reading = false;
let again = false;

/** Reads twice a second from now on, while the page is looked at. */
export async function readOn(session) {
  ({ id } = await session);
  for (;;) {
    if (!document.hidden) {
      await readNow();
    }
    await new Promise((later) => setTimeout(later, PAUSE));
  }
}

/** Reads at once, because something was asked. */
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
      trouble.textContent = error instanceof TypeError ? "The app does not answer. Is it still running?" : error.message;
      trouble.hidden = false;
    }
  }
  reading = false;
}

// all of them each time, in the order in which OpenReplay gets them: usually what is new stands at the end
async function read() {
  const response = await fetch("/api/records", { headers: { [HEADER]: id } });
  if (!response.ok) {
    throw new Error(await response.text());
  }
  const { rows } = await response.json();
  const texts = rows.map((row) => JSON.stringify(row));
  if (!shown.every((text, index) => text === texts[index])) {
    shown = [];
    clear();
  }
  show(rows.slice(shown.length));
  shown = texts;
}

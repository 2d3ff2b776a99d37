// Reads the session's records again and again: as the app wrote them, or as they come back from Elasticsearch.
import { clear, show } from "./records.js";

export const HEADER = "openReplaySession.id";

const trouble = document.querySelector("#trouble");
const source = document.querySelector("#source");

let id;
let next = 0;
let shown = [];
let reading = false;
let again = false;

/** Reads once a second from now on, while the page is looked at. */
export async function readOn(session, config) {
  ({ id } = await session);
  source.hidden = !(await config).elasticsearch;
  source.addEventListener("change", () => {
    restart();
    readNow();
  });
  for (;;) {
    if (!document.hidden) {
      await readNow();
    }
    await new Promise((later) => setTimeout(later, 1000));
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
      await (source.elements.source.value === "elasticsearch" ? readFromElasticsearch() : readWritten());
      trouble.hidden = true;
    } catch (error) {
      trouble.textContent = error instanceof TypeError ? "The app does not answer. Is it still running?" : error.message;
      trouble.hidden = false;
    }
  }
  reading = false;
}

function restart() {
  next = 0;
  shown = [];
  clear();
}

async function readWritten() {
  const read = await ask(`/api/records?after=${next}`);
  next = read.next;
  show(read.records);
}

// all of them each time, in the order in which OpenReplay gets them: usually what is new stands at the end
async function readFromElasticsearch() {
  const { records } = await ask("/api/records/elasticsearch");
  const texts = records.map((record) => JSON.stringify(record));
  if (!shown.every((text, index) => text === texts[index])) {
    restart();
  }
  show(records.slice(shown.length));
  shown = texts;
}

async function ask(path) {
  const response = await fetch(path, { headers: { [HEADER]: id } });
  if (!response.ok) {
    throw new Error(await response.text());
  }
  return response.json();
}

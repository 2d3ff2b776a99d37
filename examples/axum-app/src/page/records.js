// The panel: one row a record, as OpenReplay shows it. Opened, a row shows every line of the message.
// What a record says is set as text and never as markup, whoever sent it.

const rows = document.querySelector("#rows");
const panel = document.querySelector("#records");
const count = document.querySelector("#count");
const empty = document.querySelector("#empty");
const KEPT = 1000;
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" };

let shown = 0;

/** Appends records in the order in which they were written. */
export function show(records) {
  if (records.length === 0) {
    return;
  }
  const atEnd = panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 40;
  rows.append(...records.map(row));
  while (rows.childElementCount > KEPT) {
    rows.firstElementChild.remove();
  }
  shown += records.length;
  count.textContent = shown === 1 ? "1 record" : `${shown} records`;
  empty.hidden = true;
  if (atEnd) {
    panel.scrollTop = panel.scrollHeight;
  }
}

/** Empties the panel. */
export function clear() {
  shown = 0;
  rows.replaceChildren();
  count.textContent = "none yet";
  empty.hidden = false;
}

function row(record) {
  const lines = record.message.split("\n");
  const item = element("li", { className: levelOf(record) });
  const details = element("details");
  const summary = element("summary");
  summary.append(time(record["@timestamp"]), element("span", { className: "level", textContent: levelOf(record) }), content(lines[0]));
  details.append(summary, opened(lines), written(record));
  item.append(details);
  return item;
}

// the level exactly as OpenReplay reads it: four words, anything else counts as info
function levelOf({ level }) {
  return ["error", "warning", "info", "debug"].includes(level) ? level : "info";
}

function time(timestamp) {
  const at = new Date(timestamp);
  const text = at.toLocaleTimeString(undefined, CLOCK);
  return element("time", { dateTime: timestamp, textContent: text });
}

// the part in brackets is how OpenReplay finds the record; dimmed, since every row has it
function content(line) {
  const [, prefix, rest] = /^(\[openReplaySession\.id=[^\]]*\] )?(.*)$/.exec(line);
  const span = element("span", { className: "content" });
  span.append(element("span", { className: "prefix", textContent: prefix ?? "" }), element("span", { textContent: rest }));
  return span;
}

function opened(lines) {
  const list = element("ol", { className: "lines" });
  list.append(...lines.map((line) => element("li", { textContent: line })));
  return list;
}

function written(record) {
  const details = element("details", { className: "written" });
  details.append(
    element("summary", { textContent: "The record as it was written" }),
    element("pre", { textContent: JSON.stringify(record, null, 2) }),
  );
  return details;
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

// The panel: one row a record, as OpenReplay shows it. Opened, a row shows every line of the message.
// What a record says is set as text and never as markup, whoever sent it.

const rows = document.querySelector("#rows");
const panel = document.querySelector("#records");
const count = document.querySelector("#count");
const empty = document.querySelector("#empty");
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" };

let shown = 0;

/** Appends rows in the order in which OpenReplay gets them. */
export function show(added) {
  if (added.length === 0) {
    return;
  }
  const atEnd = panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 40;
  rows.append(...added.map(row));
  shown += added.length;
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

function row({ time: timestamp, level, message, record }) {
  const lines = message.split("\n");
  const item = element("li", { className: level });
  const details = element("details");
  const summary = element("summary");
  summary.append(time(timestamp), element("span", { className: "level", textContent: level }), content(lines[0]));
  details.append(summary, opened(lines), written(record));
  item.append(details);
  return item;
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

// The panel: one row per record, as OpenReplay shows it. An opened row shows every line of the message.
// A record's text is set as text and never as markup, since clients can put anything into it.

const rows = document.querySelector("#rows");
const panel = document.querySelector("#records");
const count = document.querySelector("#count");
const empty = document.querySelector("#empty");
const full = document.querySelector("#full");
const MOST = 1_000; // OpenReplay requests at most this many records of a session
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
  count.textContent = shown === 1 ? "1 record" : `${shown.toLocaleString("en")} records`;
  empty.hidden = true;
  full.hidden = shown < MOST;
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
  full.hidden = true;
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

// OpenReplay finds the record by the part in brackets. Every row has it, so it is dimmed, and screen readers skip it.
function content(line) {
  const [prefix] = /^(\[openReplaySession\.id=[^\]]*\] )?/.exec(line);
  const span = element("span", { className: "content" });
  span.append(
    element("span", { className: "prefix", ariaHidden: "true", textContent: prefix }),
    element("span", { textContent: line.slice(prefix.length) }),
  );
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
    // it can be wider than the page, so the keyboard must be able to scroll it
    element("pre", {
      tabIndex: 0,
      role: "group",
      ariaLabel: "The record as it was written",
      textContent: JSON.stringify(record, null, 2),
    }),
  );
  return details;
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

// Which session this page is: OpenReplay's own where its tracker runs, else one that the page makes up.

/** The id, and a word on where it came from. */
export async function startSession({ tracker }) {
  if (tracker === null) {
    return { id: ownId(), from: "made by this page; set OPENREPLAY_PROJECT_KEY to record with OpenReplay" };
  }
  try {
    return { id: await openReplayId(tracker), from: "OpenReplay’s tracker, which records this page" };
  } catch (reason) {
    return { id: ownId(), from: `made by this page; OpenReplay’s tracker did not start: ${reason.message ?? reason}` };
  }
}

// OpenReplay's own script for pages without a build step. It takes its options from window.OpenReplay
// and then puts the tracker there. With npm it is: new Tracker({ projectKey }), and the same two calls.
async function openReplayId({ script, projectKey, ingestPoint }) {
  const options = { projectKey, ingestPoint, __DISABLE_SECURE_MODE: location.protocol === "http:" };
  window.OpenReplay = [projectKey, undefined, options];
  await load(script);
  // before start() is done there is no id: a request sent too early has none
  const started = await window.OpenReplay.start();
  if (!started?.success) {
    throw new Error(started?.reason ?? "no reason given");
  }
  return window.OpenReplay.getSessionID();
}

function load(url) {
  return new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = loaded;
    script.onerror = () => failed(new Error(`${url} could not be loaded`));
    document.head.append(script);
  });
}

// An id of the form of OpenReplay's: 40 bits of milliseconds, 24 of chance. It is larger than a Number can hold,
// so it is a BigInt until it is a string, and never a Number. It stays the same until the tab is closed.
function ownId() {
  const key = "openReplaySession.id";
  let id = sessionStorage.getItem(key);
  if (id === null) {
    const since = BigInt(Date.now() - 1_550_000_000_000);
    const [chance] = crypto.getRandomValues(new Uint32Array(1));
    id = ((since << 24n) | BigInt(chance & 0xff_ffff)).toString();
    sessionStorage.setItem(key, id);
  }
  return id;
}

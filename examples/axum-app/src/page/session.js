// The page's session: OpenReplay's if its tracker starts, otherwise one that the page makes up.
const LIMIT = 1_000; // ms: requests wait for the session, so it must not take longer

/** Returns the id, and where it came from. */
export async function startSession() {
  const late = new Promise((_, failed) => setTimeout(failed, LIMIT, new Error("it took more than a second")));
  try {
    const { tracker } = await Promise.race([settings(), late]);
    if (tracker === null) {
      return { id: ownId(), from: "made by this page; set OPENREPLAY_PROJECT_KEY to record with OpenReplay" };
    }
    const id = await Promise.race([openReplayId(tracker), late]);
    return { id, from: "OpenReplay’s tracker, which records this page" };
  } catch (reason) {
    return { id: ownId(), from: `made by this page; OpenReplay’s tracker did not start: ${reason.message ?? reason}` };
  }
}

async function settings() {
  const response = await fetch("/page/config.json");
  if (!response.ok) {
    throw new Error(`the app’s settings could not be loaded (${response.status})`);
  }
  return response.json();
}

// OpenReplay's own script for pages without a build step. It reads its options from window.OpenReplay
// and then puts the tracker there. With npm: new Tracker({ projectKey }), and the same two calls.
async function openReplayId({ script, projectKey, ingestPoint }) {
  const options = { projectKey, ingestPoint, __DISABLE_SECURE_MODE: location.protocol === "http:" };
  window.OpenReplay = [projectKey, undefined, options];
  await load(script);
  // there is no id before start() resolves
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

// An id like OpenReplay's: 40 bits of milliseconds, 24 random bits. It exceeds what a Number can hold, so it is a
// BigInt until it is a string. It stays the same until the tab is closed.
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

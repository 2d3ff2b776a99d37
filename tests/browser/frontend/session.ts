import Tracker from "@openreplay/tracker";

export const tracker = new Tracker({
  projectKey: PROJECT_KEY,
  ingestPoint: INGEST_POINT, // only if OpenReplay is self-hosted
  __DISABLE_SECURE_MODE: location.protocol === "http:", // the tracker requires https, which localhost does not have
});

// waits at most a second: OpenReplay may be unreachable, and in a hidden tab start() waits until the tab is visible
const started = Promise.race([
  tracker.start().catch(() => undefined),
  new Promise((passed) => setTimeout(passed, 1000)),
]);

/** Returns the session's id, or nothing while there is no session. */
export async function sessionId(): Promise<string | null | undefined> {
  await started;
  return tracker.getSessionID(); // read each time: a session can end and another begin
}

/** Returns the header for a request to your backend. */
export async function sessionHeaders(): Promise<Record<string, string>> {
  const id = await sessionId();
  return id ? { "openReplaySession.id": id } : {};
}

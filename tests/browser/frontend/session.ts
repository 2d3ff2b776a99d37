import Tracker from "@openreplay/tracker";

export const tracker = new Tracker({
  projectKey: PROJECT_KEY,
  ingestPoint: INGEST_POINT, // only where OpenReplay is self-hosted
  __DISABLE_SECURE_MODE: location.protocol === "http:", // the tracker wants https; localhost has none
});

// start() waits for OpenReplay's server, and in a hidden tab until it is seen; your requests wait a second at most
const started = Promise.race([
  tracker.start().catch(() => undefined),
  new Promise((passed) => setTimeout(passed, 1000)),
]);

/** The session's id; none while there is no session. */
export async function sessionId(): Promise<string | null | undefined> {
  await started;
  return tracker.getSessionID(); // asked each time: a session can end and another begin
}

/** The header for a request to your backend. */
export async function sessionHeaders(): Promise<Record<string, string>> {
  const id = await sessionId();
  return id ? { "openReplaySession.id": id } : {};
}

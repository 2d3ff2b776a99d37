import Tracker from "@openreplay/tracker";

export const tracker = new Tracker({
  projectKey: PROJECT_KEY,
  ingestPoint: INGEST_POINT, // only where OpenReplay is self-hosted
  __DISABLE_SECURE_MODE: location.protocol === "http:", // the tracker wants https; localhost has none
});

const started = tracker.start();

/** The header for a request to your backend; none while there is no session. */
export async function sessionHeaders(): Promise<Record<string, string>> {
  await started.catch(() => undefined); // without the tracker, requests go on without an id
  const id = tracker.getSessionID(); // asked each time: a session can end and another begin
  return id ? { "openReplaySession.id": id } : {};
}

import Tracker from "@openreplay/tracker";

export const tracker = new Tracker({
  projectKey: PROJECT_KEY,
  ingestPoint: INGEST_POINT, // only where OpenReplay is self-hosted
  network: {
    sessionTokenHeader: true, // every fetch and XMLHttpRequest carries X-OpenReplay-SessionToken
    tokenUrlMatcher: (url) => new URL(url, location.href).origin === location.origin, // and no other server gets it
    failuresOnly: false, // from here on the defaults, which the tracker's types ask for
    ignoreHeaders: ["cookie", "set-cookie", "authorization"],
    capturePayload: false,
    captureInIframes: true,
  },
  __DISABLE_SECURE_MODE: location.protocol === "http:", // the tracker wants https; localhost has none
});

tracker.start().catch(console.warn);

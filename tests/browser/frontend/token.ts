import Tracker from "@openreplay/tracker";

export const tracker = new Tracker({
  projectKey: PROJECT_KEY,
  ingestPoint: INGEST_POINT, // only if OpenReplay is self-hosted
  network: {
    sessionTokenHeader: true, // every fetch and XMLHttpRequest carries X-OpenReplay-SessionToken
    tokenUrlMatcher: (url) => new URL(url, location.href).origin === location.origin, // no other server gets it
    sanitizer: (recorded) => {
      // the recording must not contain the token; a list of headers is recorded as [name, value] under each index
      for (const [name, value] of Object.entries(recorded.request.headers)) {
        if (/openreplay-session-?token/i.test(`${name} ${value}`)) {
          delete recorded.request.headers[name];
        }
      }
      return recorded;
    },
    failuresOnly: false, // the remaining options are the defaults, which the tracker's types require
    ignoreHeaders: ["cookie", "set-cookie", "authorization"],
    capturePayload: false,
    captureInIframes: true,
  },
  __DISABLE_SECURE_MODE: location.protocol === "http:", // the tracker requires https, which localhost does not have
});

tracker.start().catch(console.warn);

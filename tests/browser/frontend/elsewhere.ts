import { sessionId, tracker } from "./session";

export const events = async () => new EventSource(withSession("/events", await sessionId()));
export const socket = async () =>
  new WebSocket(withSession("/socket", await sessionId()).replace(/^http/, "ws")); // older browsers require ws here

// a page that is being closed cannot wait, so this uses the id that it has
export const beacon = (text: string) =>
  navigator.sendBeacon(withSession("/beacon", tracker.getSessionID()), text);

/** Adds the session's id to an address, for requests that cannot set a header. */
function withSession(address: string, id?: string | null): string {
  const url = new URL(address, location.href);
  if (id) {
    url.searchParams.set("openReplaySession.id", id);
  }
  return url.href;
}

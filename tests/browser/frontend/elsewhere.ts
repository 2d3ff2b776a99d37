import { sessionId, tracker } from "./session";

export const events = async () => new EventSource(withSession("/events", await sessionId()));
export const socket = async () =>
  new WebSocket(withSession("/socket", await sessionId()).replace(/^http/, "ws")); // older browsers take no http here

// a page that is left waits for nothing, so this takes the id that there is
export const beacon = (text: string) =>
  navigator.sendBeacon(withSession("/beacon", tracker.getSessionID()), text);

/** The same address with the session's id, for what cannot set a header. */
function withSession(address: string, id?: string | null): string {
  const url = new URL(address, location.href);
  if (id) {
    url.searchParams.set("openReplaySession.id", id);
  }
  return url.href;
}

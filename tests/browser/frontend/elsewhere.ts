import { tracker } from "./session";

/** The same address with the session's id, for what cannot set a header. */
export function withSession(address: string): string {
  const url = new URL(address, location.href);
  const id = tracker.getSessionID();
  if (id) {
    url.searchParams.set("openReplaySession.id", id);
  }
  return url.href;
}

export const events = () => new EventSource(withSession("/events"));
export const socket = () => new WebSocket(withSession("/socket"));
export const beacon = (text: string) => navigator.sendBeacon(withSession("/beacon"), text);

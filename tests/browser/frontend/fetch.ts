import { sessionHeaders } from "./session";

export async function api(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(await sessionHeaders())) {
    headers.set(name, value);
  }
  return fetch(path, { ...init, headers });
}

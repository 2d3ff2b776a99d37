// Stands in for the script that OpenReplay serves: the real tracker, started as that script starts it, from the
// options that the page left in window.OpenReplay.
import Tracker from "@openreplay/tracker";

const page = window as unknown as { OpenReplay: unknown };
const [projectKey, , options] = page.OpenReplay as [string, undefined, object];
page.OpenReplay = new Tracker({ projectKey, ...options });

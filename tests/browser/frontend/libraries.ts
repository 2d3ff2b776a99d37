// The libraries as they are, for tests that set them up in the page.
export { default as Tracker } from "@openreplay/tracker";
export { default as axios } from "axios";

import ky from "ky";
import { sessionHeaders } from "./session";

export const api = ky.create({
  hooks: {
    beforeRequest: [
      async (request) => {
        for (const [name, value] of Object.entries(await sessionHeaders())) {
          request.headers.set(name, value);
        }
      },
    ],
  },
});

import axios from "axios";
import { sessionHeaders } from "./session";

export const api = axios.create();

api.interceptors.request.use(async (config) => {
  config.headers.set(await sessionHeaders());
  return config;
});

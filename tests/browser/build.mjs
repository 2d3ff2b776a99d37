// Bundles the frontend code as an app would, into the folder that is named: one module for each file, and what they
// share apart, so that a page has one tracker however many of them it imports.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const [folder] = process.argv.slice(2);
const frontend = join(import.meta.dirname, "frontend");
const modules = readdirSync(frontend).filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
const options = {
  bundle: true,
  target: "es2022",
  logLevel: "warning",
  define: { PROJECT_KEY: '"browser-tests"', INGEST_POINT: "globalThis.INGEST_POINT" },
};

await build({
  ...options,
  entryPoints: modules.map((name) => join(frontend, name)),
  format: "esm",
  splitting: true,
  outdir: folder,
});

// what OpenReplay serves to pages without a build step is one plain script
await build({ ...options, entryPoints: [join(frontend, "script.ts")], format: "iife", outfile: join(folder, "openreplay.js") });

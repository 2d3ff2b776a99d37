// set when the code is bundled: see build.mjs
declare const PROJECT_KEY: string;
declare const INGEST_POINT: string;

/** The page's own files. Its scripts are TypeScript, whose types are taken out as they are served. */
import { stripTypeScriptTypes } from "node:module";

/** A file as it is served. */
export interface Asset {
  readonly type: string;
  readonly body: string;
}

const HERE = new URL("..", import.meta.url);
/** The folders that a browser gets, and no other file. */
const FOLDERS = ["page", "view"];

const TYPES: Readonly<Record<string, string>> = {
  ts: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  svg: "image/svg+xml",
};

/** All assets by their path, such as `/page/main.ts`; the page itself is `/`. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const folder of FOLDERS) {
    for await (const { name } of Deno.readDir(new URL(`${folder}/`, HERE))) {
      const extension = name.split(".").at(-1)!;
      const type = TYPES[extension];
      if (type === undefined) continue;
      const text = await Deno.readTextFile(new URL(`${folder}/${name}`, HERE));
      const body = extension === "ts" ? stripTypeScriptTypes(text) : text;
      assets.set(name === "index.html" ? "/" : `/${folder}/${name}`, { type, body });
    }
  }
  return assets;
}

// Builds the bundle that travels with every widget; with --tests, the unit tests instead.
import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";

const common = { bundle: true, format: "esm", target: "es2022", charset: "utf8", logLevel: "warning" };

if (process.argv.includes("--tests")) {
  rmSync("build/test", { recursive: true, force: true });
  const tests = readdirSync("test").filter((file) => file.endsWith(".test.ts"));
  await build({
    ...common,
    platform: "node",
    packages: "external",
    sourcemap: "inline",
    entryPoints: tests.map((file) => `test/${file}`),
    outdir: "build/test",
    outExtension: { ".js": ".mjs" },
  });
} else {
  await build({
    ...common,
    minify: true,
    legalComments: "none",
    entryPoints: { mooring: "src/index.ts" },
    outfile: "../mooring_widgets/static/mooring.js",
  });
  await build({
    ...common,
    minify: true,
    entryPoints: ["src/styles/index.css"],
    outfile: "../mooring_widgets/static/mooring.css",
  });
}

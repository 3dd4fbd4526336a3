// Builds what travels with a widget: a script and a style sheet for each kind; with --tests, the unit tests instead.
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
    loader: { ".css": "empty" },
    sourcemap: "inline",
    entryPoints: tests.map((file) => `test/${file}`),
    outdir: "build/test",
    outExtension: { ".js": ".mjs" },
  });
} else {
  const outdir = "../mooring_widgets/static";
  rmSync(outdir, { recursive: true, force: true });
  await build({ ...common, minify: true, legalComments: "none", entryPoints: ["src/widgets/*.ts"], outdir });
}

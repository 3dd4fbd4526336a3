import { FakeModel, failing, into, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/user";
import { harmless } from "../src/sanitize";
import type { Host } from "../src/types";

const FRAME =
  '<style scoped>.dataframe th {text-align: right}</style><table border="1" class="dataframe"><tbody><tr><td>1</td></tr></tbody></table>';

test("tables of pandas pass", () => {
  assert.ok(harmless(`<div>${FRAME}</div>`)!.textContent!.includes("1"));
  assert.ok(
    harmless(
      '<table id="T_1"><td id="T_1_row0" class="data" style="width: 10em; background-color: #fff">1</td></table>',
    ),
  );
});

for (const [what, html] of Object.entries({
  scripts: "<script>1</script>",
  "event handlers": '<b onclick="1">x</b>',
  images: '<img src="x">',
  frames: "<iframe></iframe>",
  "foreign content": "<svg><a></a></svg>",
  forms: "<form action=x></form>",
  "odd links": '<a href="javascript:1">x</a>',
  "links in disguise": '<a href=" java&#10;script:1">x</a>',
  "fetching styles": '<b style="background: url(x)">x</b>',
  "fetching style sheets": "<style>@import 'x'</style>",
  "escaped style sheets": "<style>b { background: u\\72l(x) }</style>",
  "covering the page": '<div style="position: fixed">x</div>',
})) {
  test(`${what} do not go into the page`, () => assert.equal(harmless(`<p>before</p>${html}`), null));
}

function user(state: object, host?: Host) {
  const model = new FakeModel({
    _state: {
      rev: 1,
      epoch: 1,
      session: "s1",
      status: "ready",
      error: null,
      title: "cores",
      session_label: "Wave 1",
      refreshing: false,
      output: null,
      run: 0,
      printed: "",
      traceback: "",
      ...state,
    },
  });
  const el = into(document.createElement("div"));
  return { model, el, close: mooring.render({ model, el, ...(host && { host }) }) };
}

test("harmless HTML goes inline, in a shadow root of its own", () => {
  const { el, close } = user({ output: { kind: "html", html: FRAME }, run: 1 });
  const holder = [...el.querySelectorAll("div")].find((each) => each.shadowRoot)!;
  assert.equal(holder.shadowRoot!.querySelector("td")!.textContent, "1");
  close();
});

test("a heading without words is no heading", () => {
  const fragment = harmless("<table><tr><th></th><th>cores</th></tr></table>")!;
  assert.deepEqual(
    [...fragment.querySelectorAll("th")].map((heading) => heading.getAttribute("role")),
    ["cell", null],
  );
});

test("a link opens beside the notebook", () => {
  const link = harmless('<a href="https://example.com">x</a>')!;
  assert.equal(link.querySelector("a")!.target, "_blank");
  assert.equal(link.querySelector("a")!.rel, "noopener noreferrer");
});

test("any other HTML goes whole into a sandbox without the page's origin or network", () => {
  const { el, close } = user({ output: { kind: "html", html: "<script>1</script>" }, run: 1 });
  const frame = el.querySelector("iframe")!;
  assert.equal(frame.getAttribute("sandbox"), "allow-scripts");
  assert.match(frame.srcdoc, /default-src 'none'/);
  const inner = new DOMParser().parseFromString(frame.srcdoc, "text/html").querySelector("iframe")!;
  assert.equal(inner.getAttribute("sandbox"), "allow-scripts");
  assert.match(inner.srcdoc, /default-src 'none'.*<script>1<\/script>/s);
  close();
});

test("what the sandbox was refused is told once, and only where the sandbox says so", () => {
  const { el, close } = user({ title: "map", output: { kind: "html", html: "<script>1</script>" }, run: 1 });
  const frame = el.querySelector("iframe")!;
  const tell = (source: unknown, data: object): void => {
    const event = new MessageEvent("message", { data });
    Object.defineProperty(event, "source", { value: source });
    window.dispatchEvent(event);
  };
  tell(window, { mooring: "refused", address: "https://elsewhere.example" });
  assert.doesNotMatch(el.textContent!, /network/);
  tell(frame.contentWindow, { mooring: "refused", address: "https://cdn.example/<b>x" });
  tell(frame.contentWindow, { mooring: "refused", address: "https://later.example" });
  assert.match(el.textContent!, /It asked for https:\/\/cdn\.example\/<b>x, but HTML of a view has no network/);
  tell(frame.contentWindow, { mooring: "height", height: 1e9 });
  assert.equal(frame.style.height, "2000px");
  close();
});

test("a picture is an image, in which nothing runs", () => {
  const { el, close } = user({ output: { kind: "svg", svg: "<svg onload='1'/>" }, run: 1 });
  assert.match(el.querySelector("img")!.src, /^data:image\/svg\+xml/);
  assert.equal(el.querySelector("svg[onload]"), null);
  close();
});

test("the output of another session is taken away at once", () => {
  const { model, el, close } = user({ output: { kind: "text", text: "forty-two" }, run: 1 });
  assert.match(el.textContent!, /forty-two/);
  model.show({ epoch: 2, session: "s2", status: "loading", output: null });
  assert.doesNotMatch(el.textContent!, /forty-two/);
  close();
});

test("a failure shows its traceback over the last good output", () => {
  const { el, close } = user({
    status: "error",
    output: { kind: "text", text: "forty-two" },
    run: 1,
    error: failing({ kind: "ViewError", message: "KeyError: 'owner'" }),
    traceback: "line 3, in cores",
  });
  assert.match(el.textContent!, /KeyError: 'owner'.*forty-two.*line 3, in cores/s);
  assert.ok(el.querySelector(".m-body.m-stale"));
  close();
});

test("a widget that cannot be embedded says so, and can be tried again", async () => {
  const { model, el, close } = user({ output: { kind: "widget", model_id: "x", anywidget: false }, run: 1 });
  await settle();
  assert.match(el.textContent!, /cannot be shown here: this notebook shows anywidgets only/);
  const shown = document.createElement("p");
  shown.textContent = "a slider";
  Object.assign(model.widget_manager, { get_model: async () => ({}), create_view: async () => ({ el: shown }) });
  [...el.querySelectorAll("button")].find((each) => each.textContent === "Try again")!.click();
  await settle();
  assert.match(el.textContent!, /a slider/);
  assert.doesNotMatch(el.textContent!, /cannot be shown/);
  close();
});

test("an embedded widget stays in place through another run, and goes with its session", async () => {
  const rendered: AbortSignal[] = [];
  const host = {
    getWidget: async (ref: string) => ({
      render: async ({ el, signal }: { el: HTMLElement; signal?: AbortSignal }) => {
        rendered.push(signal!);
        el.textContent = ref;
      },
    }),
  };
  const output = { kind: "widget", model_id: "x", anywidget: true };
  const { model, el, close } = user({ output, run: 1 }, host);
  await settle();
  assert.match(el.textContent!, /anywidget:x/);
  model.show({ refreshing: true });
  model.show({ refreshing: false });
  assert.equal(rendered.length, 1);
  model.show({ epoch: 2, session: "s2", status: "loading", output: null });
  assert.equal(rendered[0]!.aborted, true);
  assert.doesNotMatch(el.textContent!, /anywidget:x/);
  close();
});

test("what a function prints stands below, whatever became of it", () => {
  const { model, el, close } = user({ output: { kind: "text", text: "out" }, run: 1, printed: "<b>said</b>" });
  const printed = el.querySelector("[aria-label=Printed]")!;
  assert.equal(printed.textContent, "<b>said</b>");
  assert.equal(printed.closest("details")!.open, true);
  model.show({ printed: "" });
  assert.equal(printed.closest("details")!.hidden, true);
  close();
});

test("a function that returned nothing says so", () => {
  const { el, close } = user({ status: "empty", title: "cores" });
  assert.match(el.querySelector(".m-empty")!.textContent!, /cores returned nothing/);
  close();
});

test("pixels are an image at the size that they stand for", () => {
  const { el, close } = user({ output: { kind: "pixels", type: "image/png", data: "AAAA", scale: 2 }, run: 1 });
  const image = el.querySelector("img")!;
  assert.equal(image.src, "data:image/png;base64,AAAA");
  Object.defineProperty(image, "naturalWidth", { value: 640 });
  image.dispatchEvent(new Event("load"));
  assert.equal(image.getAttribute("width"), "320");
  close();
});

test("a state that cannot be drawn says so instead of showing half of it, until one can", () => {
  const { model, el, close } = user({ output: { kind: "text", text: "forty-two" }, run: 1 });
  const { error } = console;
  console.error = () => undefined;
  model.show({ output: { kind: "svg", svg: "\ud800" }, run: 2 });
  console.error = error;
  const root = el.querySelector<HTMLElement>(".m-view")!;
  assert.match(el.querySelector(".m-banner:not([hidden])")!.textContent!, /could not be drawn/);
  assert.equal(root.hidden, true);
  model.show({ output: { kind: "text", text: "again" }, run: 3 });
  assert.equal(root.hidden, false);
  assert.match(el.textContent!, /again/);
  close();
});

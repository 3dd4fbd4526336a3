import { FakeModel, failing, into } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/index";
import { harmless } from "../src/sanitize";

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

function user(state: object) {
  const model = new FakeModel({
    _view: "user",
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
      traceback: "",
      ...state,
    },
  });
  const el = into(document.createElement("div"));
  return { model, el, close: mooring.render({ model, el }) };
}

test("harmless HTML goes inline, in a shadow root of its own", () => {
  const { el, close } = user({ output: { kind: "html", html: FRAME }, run: 1 });
  const holder = [...el.querySelectorAll("div")].find((each) => each.shadowRoot)!;
  assert.equal(holder.shadowRoot!.querySelector("td")!.textContent, "1");
  close();
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

test("a widget that cannot be embedded says so", async () => {
  const { el, close } = user({ output: { kind: "widget", model_id: "x", anywidget: false }, run: 1 });
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.match(el.textContent!, /cannot be shown here/);
  close();
});

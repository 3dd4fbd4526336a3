import { failing, FakeModel, into, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/comparison";

const none = { added: 0, removed: 0, changed: 0, unchanged: 0 };
const row = (more: object) => ({ kind: "removed", label: "web-01", about: "Server", changes: [], ...more });
const page = (more: object) => ({ number: 1, items: [row({})], more: false, refreshing: false, error: null, ...more });

function comparison(state: object = {}) {
  const model = new FakeModel(
    {
      _fields: { assets: [], dependencies: [] },
      _state: {
        rev: 1,
        epoch: 1,
        session: "s1",
        status: "ready",
        error: null,
        title: "Comparison",
        session_label: "Baseline → Wave 1",
        refreshing: false,
        labels: ["Baseline", "Wave 1"],
        counts: { assets: { added: 2, removed: 1234, changed: 3, unchanged: 40 }, dependencies: { ...none, added: 1 } },
        table: "assets",
        kind: "",
        filter: "",
        rows: page({}),
        moved: false,
        gone: "",
        ...state,
      },
    },
    {
      "comparison.choose": () => ({}),
      "comparison.page": () => ({}),
      "comparison.undelete": () => ({}),
      retry: () => ({}),
    },
  );
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const shown = (label: RegExp): HTMLInputElement =>
    [...el.querySelectorAll<HTMLInputElement>("input[type=radio]")].find((each) =>
      label.test(each.getAttribute("aria-label")!),
    )!;
  const button = (label: string): HTMLButtonElement =>
    [...el.querySelectorAll("button")].find((each) => each.textContent === label)!;
  return { model, el, close, shown, button };
}

test("the numbers of both tables say what they are of, and the one that is listed is chosen", () => {
  const { el, shown, close } = comparison();
  assert.ok(shown(/^1,239 assets, all that differ$/).checked);
  assert.ok(shown(/^40 assets, unchanged$/));
  assert.ok(shown(/^1 dependency, added$/));
    assert.match(el.querySelector(".m-summary")!.textContent!, /1,240 differences/);
  close();
});

test("choosing a number asks for what it counts", async () => {
  const { model, shown, close } = comparison();
  const choice = shown(/dependencies, changed/);
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  await settle();
  assert.deepEqual(model.asked("comparison.choose"), [{ table: "dependencies", only: "changed" }]);
  close();
});

test("a changed row has each field with both values, the first few of them, and nothing in it is markup", () => {
  const changes = Array.from({ length: 8 }, (_, index) => ({
    label: `Field ${index}`,
    kind: "text",
    before: "<b>old</b>",
    after: "",
  }));
  changes[0] = { label: "Memory", kind: "bytes", before: 2 ** 30 as never, after: null as never };
  const { el, close } = comparison({ rows: page({ items: [row({ kind: "changed", about: "", changes })] }) });
  const said = [...el.querySelectorAll(".m-differences li")].map((each) => each.textContent);
  assert.equal(said[0], "Memory 1 GiB → nothing");
  assert.equal(said[1], "Field 1 <b>old</b> → nothing");
  assert.equal(el.querySelector("details summary")!.textContent, "2 more fields");
  assert.equal(el.querySelectorAll("b").length, 0);
  close();
});

test("pages go on and back, and the button that can do no more passes the focus on", () => {
  const { model, el, button, close } = comparison({ rows: page({ more: true }) });
  const next = button("Next page");
  next.focus();
  next.click();
  assert.deepEqual(model.asked("comparison.page"), [{ to: "next" }]);
  model.show({ rows: page({ number: 2, more: true, refreshing: true }) });
  assert.deepEqual([document.activeElement, next.disabled], [next, false]);
  model.show({ rows: page({ number: 2 }) });
  assert.equal(document.activeElement, el.querySelector(".m-differences"));
  assert.match(el.querySelector(".m-pager")!.textContent!, /51–51 of 1,239/);
  button("Previous page").click();
  assert.deepEqual(model.asked("comparison.page").at(-1), { to: "previous" });
  close();
});

test("what is older than the numbers says so, and the newest can be asked for", () => {
  const { model, el, button, close } = comparison({ rows: page({ number: 2 }), moved: true });
  assert.equal(el.querySelector<HTMLElement>(".m-moved")!.hidden, false);
  assert.doesNotMatch(el.querySelector(".m-pager")!.textContent!, /of 1,239/);
  button("Show what differs now").click();
  assert.deepEqual(model.asked("comparison.page"), [{ to: "first" }]);
  close();
});

test("no difference, nothing that passes a filter, and rows that failed are told apart", () => {
  const { model, el, close } = comparison({ rows: page({ items: [] }), kind: "added" });
  const said = (): string | null => [...el.querySelectorAll<HTMLElement>(".m-empty:not([hidden])")].at(-1)?.textContent ?? null;
  assert.equal(said(), "No assets are added.");
  model.show({ kind: "" });
  assert.equal(said(), "No difference: the assets are the same.");
  model.show({ filter: "owner = Ada" });
  assert.equal(said(), "Nothing here passes the filter.");
  model.show({ rows: page({ items: null, error: failing() }) });
  assert.equal(said(), null);
  assert.match(el.querySelector(".m-notice:not([hidden])")!.textContent!, /internal error/);
  close();
});

test("a session that was deleted can be brought back", () => {
  const { model, button, close } = comparison({
    status: "error",
    error: failing({ kind: "NotFound", message: "“Wave 1” was deleted; this is how it was." }),
    gone: "engagements/e/sessions/s1",
  });
  button("Bring it back").click();
  assert.deepEqual(model.asked("comparison.undelete"), [{ session: "engagements/e/sessions/s1" }]);
  close();
});

test("of another session nothing stays", () => {
  const { model, el, close } = comparison();
  model.show({ epoch: 2, session: "s2", status: "loading", counts: null, rows: page({ items: null }) });
  assert.equal(el.querySelectorAll("tbody th[title]").length, 0);
  assert.match(el.querySelector(".m-summary")!.textContent!, /Loading/);
  close();
});

import { FakeModel, failing, into, press, settle, slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/index";

const columns = [
  { key: "display_name", label: "Name", kind: "text", width: 100 },
  { key: "memory_bytes", label: "Memory", kind: "bytes", width: 100 },
];
const row = (index: number): [string, number] => [`vm-${index}`, 2 ** 30];

function table(total: number, state: object = {}) {
  const model = new FakeModel(
    {
      _view: "table",
      _state: {
        rev: 1,
        epoch: 1,
        session: "s1",
        status: "ready",
        error: null,
        title: "Discovery",
        session_label: "Wave 1",
        refreshing: false,
        columns,
        noun: "asset",
        empty: "No assets yet.",
        page: { ...slice(row, total, { offset: 0, limit: 100 }), version: 1 },
        ...state,
      },
    },
    { page: (payload) => slice(row, total, payload) },
  );
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const names = (): string[] =>
    [...el.querySelectorAll(".m-canvas [role=row]")].map((each) => each.firstElementChild!.textContent!);
  return { model, el, close, names, scroller: el.querySelector<HTMLElement>(".m-scroll")! };
}

test("the first page is painted without asking for it", async () => {
  const { model, el, names, close } = table(5);
  await settle();
  assert.deepEqual(names(), ["vm-0", "vm-1", "vm-2", "vm-3", "vm-4"]);
  assert.equal(el.querySelector("[role=cell]:nth-child(2)")!.textContent, "1 GiB");
  assert.deepEqual(model.asked("page"), []);
  assert.match(el.textContent!, /Wave 1.*5 assets/);
  close();
});

test("the end of a million rows is two keys away, and asked for with session and epoch", async () => {
  const { model, el, names, scroller, close } = table(1_000_000);
  await settle();
  press(scroller, "End");
  await settle();
  assert.equal(names().at(-1), "vm-999999");
  assert.deepEqual(model.asked("page").at(-1), { offset: 999_800, limit: 100, session: "s1", epoch: 1 });
  assert.ok(names().length < 30);
  assert.equal(el.querySelector("[role=table]")!.getAttribute("aria-rowcount"), "1000001");
  press(scroller, "ArrowUp");
  await settle();
  assert.ok(names().includes("vm-999985"));
  close();
});

test("a switch empties the table at once, and an answer for the old session is not painted", async () => {
  const { model, names, scroller, close } = table(1_000_000);
  await settle();
  let answer = (_: unknown): void => undefined;
  model.handlers["page"] = () => new Promise((resolve) => (answer = resolve));
  press(scroller, "PageDown");
  for (let i = 0; i < 10; i += 1) press(scroller, "PageDown");
  await settle();
  model.show({ epoch: 2, session: "s2", session_label: "Wave 2", status: "loading", page: null });
  answer(slice(row, 1_000_000, { offset: 100, limit: 100 }));
  await settle();
  assert.ok(names().every((name) => name === ""));
  model.show({ status: "ready", page: { items: [["db-0", 0]], total: 1, version: 2 } });
  await settle();
  assert.deepEqual(names(), ["db-0"]);
  close();
});

test("loading, empty and failed are told apart", async () => {
  const { model, el, close } = table(5, { status: "loading", page: null });
  assert.match(el.textContent!, /Loading…/);
  model.show({ status: "empty", page: { items: [], total: 0, version: 1 } });
  assert.match(el.textContent!, /No assets yet/);
  model.show({ status: "error", page: null, error: failing({ message: "It broke." }) });
  assert.match(el.textContent!, /It broke\..*Try again/);
  [...el.querySelectorAll("button")].find((each) => each.textContent === "Try again")!.click();
  assert.equal(model.asked("retry").length, 1);
  close();
});

test("a page that fails says so and can be tried again", async () => {
  const { model, el, scroller, names, close } = table(1000);
  await settle();
  const works = model.handlers["page"]!;
  model.handlers["page"] = () => Promise.reject(failing({ message: "Those rows did not come." }));
  press(scroller, "End");
  await settle();
  assert.match(el.textContent!, /Those rows did not come\./);
  model.handlers["page"] = works;
  const again = [...el.querySelectorAll<HTMLElement>(".m-body .m-notice button")].find(
    (each) => each.textContent === "Try again",
  )!;
  again.click();
  await settle();
  assert.equal(names().at(-1), "vm-999");
  close();
});

test("while fresher rows are on their way the old ones stay, dimmed", async () => {
  const { model, el, names, close } = table(5);
  await settle();
  model.show({ refreshing: true });
  await settle();
  assert.equal(names().length, 5);
  assert.ok(el.querySelector(".m-body.m-stale"));
  assert.match(el.textContent!, /Refreshing…/);
  close();
});

import { FakeModel, failing, into, press, settle, slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/table";

const fields = [
  { key: "display_name", label: "Name", group: "Identity", kind: "text", width: 100, filter: "words", order: "display_name", end: 0 },
  { key: "memory_bytes", label: "Memory", group: "Machine", kind: "bytes", width: 100, filter: "number", order: "", end: 0 },
  { key: "owner", label: "Owner", group: "Business", kind: "text", width: 100, filter: "text", order: "", end: 0 },
];
const keys = ["display_name", "memory_bytes"];
const row = (index: number): [string[], string, number] => [[`a${index}`], `vm-${index}`, 2 ** 30];
const rows = (total: number, payload: Record<string, unknown>) => ({ keys, ...slice(row, total, payload) });

const copied: string[] = [];
Object.defineProperty(globalThis, "navigator", {
  configurable: true,
  value: { clipboard: { writeText: async (text: string) => void copied.push(text) } },
});

function table(total: number, state: object = {}) {
  const model = new FakeModel(
    {
      _fields: fields,
      _state: {
        rev: 1,
        epoch: 1,
        question: 0,
        session: "s1",
        status: "ready",
        error: null,
        title: "Discovery",
        session_label: "Wave 1",
        refreshing: false,
        columns: fields.slice(0, 2),
        filter: "",
        filter_error: null,
        order: "display_name",
        attributes: ["Rack"],
        noun: "asset",
        empty: "No assets yet.",
        page: { ...rows(total, { offset: 0, limit: 100 }), version: 1 },
        detail: null,
        ...state,
      },
    },
    {
      page: (payload) => rows(total, payload),
      "table.arrange": () => ({ refused: null }),
      "table.columns": () => ({}),
      "asset.open": () => ({}),
      "asset.close": () => ({}),
    },
  );
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const names = (): string[] =>
    [...el.querySelectorAll(".m-canvas [role=row]")].map((each) => each.firstElementChild!.textContent!);
  const grid = el.querySelector<HTMLElement>("[role=grid]")!;
  const button = (name: string): HTMLElement =>
    [...el.querySelectorAll<HTMLElement>("button")].find((each) => each.textContent === name)!;
  const active = (): string => el.querySelector(`[id="${grid.getAttribute("aria-activedescendant")}"]`)!.textContent!;
  const input = el.querySelector<HTMLInputElement>("[aria-label=Filter]")!;
  return { model, el, close, names, grid, button, active, input };
}

test("the first page is painted without asking for it", async () => {
  const { model, el, names, close } = table(5);
  await settle();
  assert.deepEqual(names(), ["vm-0", "vm-1", "vm-2", "vm-3", "vm-4"]);
  assert.equal(el.querySelector("[role=gridcell]:nth-child(2)")!.textContent, "1 GiB");
  assert.deepEqual(model.asked("page"), []);
  assert.match(el.textContent!, /Wave 1.*5 assets/);
  close();
});

test("the end of a million rows is one key away, and asked for with session, epoch and question", async () => {
  const { model, names, grid, active, close } = table(1_000_000);
  await settle();
  press(grid, "End", { ctrlKey: true });
  await settle();
  assert.equal(names().at(-1), "vm-999999");
  const asked = { offset: 999_800, limit: 100, session: "s1", epoch: 1, question: 0 };
  assert.deepEqual(model.asked("page").at(-1), asked);
  assert.ok(names().length < 30);
  assert.equal(grid.getAttribute("aria-rowcount"), "1000001");
  assert.equal(active(), "1 GiB");
  press(grid, "PageUp");
  press(grid, "Home");
  await settle();
  assert.equal(active(), "vm-999990");
  close();
});

test("a switch empties the table at once, and an answer for the old session is not painted", async () => {
  const { model, names, grid, close } = table(1_000_000);
  await settle();
  let answer = (_: unknown): void => undefined;
  model.handlers["page"] = () => new Promise((resolve) => (answer = resolve));
  for (let i = 0; i < 11; i += 1) press(grid, "PageDown");
  await settle();
  model.show({ epoch: 2, session: "s2", session_label: "Wave 2", status: "loading", page: null });
  answer(rows(1_000_000, { offset: 100, limit: 100 }));
  await settle();
  assert.ok(names().every((name) => name === ""));
  model.show({ status: "ready", page: { keys, items: [[["b"], "db-0", 0]], total: 1, version: 2 } });
  await settle();
  assert.deepEqual(names(), ["db-0"]);
  close();
});

test("loading, no data, no match and failed are told apart", async () => {
  const { model, el, button, input, close } = table(5, { status: "loading", page: null });
  assert.match(el.textContent!, /Loading…/);
  model.show({ status: "empty", page: { keys, items: [], total: 0, version: 1 } });
  assert.match(el.textContent!, /No assets yet/);
  assert.ok(input.form!.hidden);
  model.show({ filter: "owner = x" });
  assert.match(el.textContent!, /Nothing here passes the filter/);
  assert.ok(!input.form!.hidden);
  button("Clear the filter").click();
  assert.deepEqual(model.asked("table.arrange"), [{ filter: "" }]);
  model.show({ status: "error", page: null, error: failing({ message: "It broke." }) });
  assert.match(el.textContent!, /It broke\..*Try again/);
  button("Try again").click();
  assert.equal(model.asked("retry").length, 1);
  close();
});

test("a page that fails says so and can be tried again", async () => {
  const { model, el, grid, names, close } = table(1000);
  await settle();
  const works = model.handlers["page"]!;
  model.handlers["page"] = () => Promise.reject(failing({ message: "Those rows did not come." }));
  press(grid, "End", { ctrlKey: true });
  await settle();
  assert.match(el.textContent!, /Those rows did not come\./);
  model.handlers["page"] = works;
  const again = [...el.querySelectorAll<HTMLElement>(".m-main .m-notice button")];
  again.find((each) => each.textContent === "Try again")!.click();
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

test("another column shows as absent in the rows that are here, until they come with it", async () => {
  const { model, el, names, close } = table(3);
  await settle();
  model.show({ columns: [fields[0], fields[2]] });
  await settle();
  assert.deepEqual(names(), ["vm-0", "vm-1", "vm-2"]);
  assert.equal(el.querySelectorAll("[role=gridcell].m-absent").length, 3);
  const items = [0, 1, 2].map((index) => [[`a${index}`], `vm-${index}`, "Ada"]);
  model.show({ page: { keys: ["display_name", "owner"], items, total: 3, version: 1 } });
  await settle();
  assert.equal(el.querySelectorAll("[role=gridcell].m-absent").length, 0);
  assert.equal(el.querySelector("[role=gridcell]:nth-child(2)")!.textContent, "Ada");
  close();
});

test("rows of another filter are let go of", async () => {
  const { model, names, close } = table(1000);
  await settle();
  model.show({ question: 1, filter: "web", page: { keys, items: [[["w"], "web-0", 1]], total: 1, version: 1 } });
  await settle();
  assert.deepEqual(names(), ["web-0"]);
  close();
});

test("a heading orders by the order that the service has, and says which it is", async () => {
  const { model, el, grid, close } = table(5);
  await settle();
  const [name, memory] = [...el.querySelectorAll("[role=columnheader]")];
  assert.equal(name!.getAttribute("aria-sort"), "ascending");
  assert.equal(memory!.hasAttribute("aria-sort"), false);
  press(grid, "ArrowUp");
  press(grid, "Enter");
  assert.deepEqual(model.asked("table.arrange"), [{ order: "display_name desc" }]);
  model.show({ order: "display_name desc" });
  assert.equal(name!.getAttribute("aria-sort"), "descending");
  name!.querySelector("button")!.click();
  assert.deepEqual(model.asked("table.arrange").at(-1), { order: "display_name" });
  close();
});

test("a refused filter is told beside it with names that are near, one of which mends it", async () => {
  const { model, el, button, input, close } = table(5);
  await settle();
  const refused = { ...failing({ message: "no such field" }), near: [{ wrong: "ownr", names: ["owner"] }] };
  model.handlers["table.arrange"] = ({ filter }) => ({ refused: String(filter).includes("ownr") ? refused : null });
  input.value = "ownr = Ada";
  press(input, "Enter");
  await settle();
  assert.equal(input.getAttribute("aria-invalid"), "true");
  assert.match(el.querySelector("[role=alert]:not([hidden])")!.textContent!, /no such field/);
  button("owner").click();
  await settle();
  assert.deepEqual(model.asked("table.arrange").at(-1), { filter: "owner = Ada" });
  assert.equal(input.getAttribute("aria-invalid"), null);
  close();
});

test("what is typed stays when rows come, and Escape takes it back", async () => {
  const { model, input, close } = table(5, { filter: "web" });
  input.value = "web owner";
  model.show({ page: { ...rows(5, { offset: 0, limit: 100 }), version: 2 } });
  assert.equal(input.value, "web owner");
  press(input, "Escape");
  assert.equal(input.value, "web");
  assert.notEqual(document.activeElement, input);
  close();
});

test("a wrong filter of the call itself is told at the box alone", () => {
  const error = failing({ message: "colour is no field", reason: "INVALID_FILTER" });
  const { el, input, close } = table(5, { status: "error", page: null, filter: "colour = red", error, filter_error: { ...error, near: [] } });
  assert.equal(input.value, "colour = red");
  assert.equal(el.textContent!.match(/colour is no field/g)!.length, 1);
  close();
});

test("columns are chosen by keyboard: fields, attributes, and any other", async () => {
  const { model, el, button, close } = table(5);
  await settle();
  button("Columns").click();
  const boxes = [...el.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
  assert.deepEqual(
    boxes.map(({ value, checked }) => [value, checked]),
    [["display_name", true], ["memory_bytes", true], ["owner", false], ["attributes.Rack", false]],
  );
  assert.equal(document.activeElement, boxes[0]);
  press(boxes[0]!, "o");
  assert.equal(document.activeElement, boxes[2]);
  press(boxes[2]!, "Enter");
  assert.deepEqual(model.asked("table.columns"), [{ keys: [...keys, "owner"] }]);
  const another = el.querySelector<HTMLInputElement>("[aria-label='Another attribute']")!;
  another.value = "Shelf";
  press(another, "Enter");
  assert.deepEqual(model.asked("table.columns").at(-1), { keys: [...keys, "owner", "attributes.Shelf"] });
  assert.deepEqual(model.asked("table.arrange"), []);
  press(another, "Escape");
  assert.equal(document.activeElement, button("Columns"));
  close();
});

test("the cell, the rows or what is selected is copied, numbers bare", async () => {
  const { el, grid, close } = table(1000);
  await settle();
  const copy = async (): Promise<string | undefined> => {
    press(grid, "c", { ctrlKey: true });
    await settle();
    return copied.at(-1);
  };
  press(grid, "ArrowRight");
  assert.equal(await copy(), "1073741824");
  press(grid, " ", { shiftKey: true });
  assert.equal(await copy(), "vm-0\t1073741824");
  press(grid, "Home", { ctrlKey: true });
  for (let i = 0; i < 150; i += 1) press(grid, "ArrowDown", { shiftKey: true });
  const lines = (await copy())!.split("\n");
  assert.deepEqual([lines.length, lines.at(-1)], [151, "vm-150"]);
  assert.match(el.querySelector(".m-said")!.textContent!, /Copied 151 rows/);
  close();
});

test("more rows than a clipboard is for are not copied", async () => {
  const { el, grid, close } = table(1_000_000);
  await settle();
  const before = copied.length;
  press(grid, "a", { ctrlKey: true });
  press(grid, "c", { ctrlKey: true });
  await settle();
  assert.equal(copied.length, before);
  assert.match(el.querySelector(".m-said")!.textContent!, /ws\.discovery\.to_pandas\(\) has all/);
  close();
});

test("Enter opens the row's asset, and Escape lets go of one thing after the other", async () => {
  const { model, el, grid, close } = table(5);
  await settle();
  grid.focus();
  press(grid, "ArrowDown");
  press(grid, "Enter");
  assert.deepEqual(model.asked("asset.open"), [{ session: "s1", epoch: 1, question: 0, id: "a1" }]);
  const detail = { name: "s1/assets/a1", depth: 0, error: null, refreshing: false, asset: { title: "vm-1", groups: [] }, needs: null, needed_by: null };
  model.show({ detail });
  const title = el.querySelector<HTMLElement>(".m-asset-title")!;
  assert.equal(document.activeElement, title);
  press(title, "Escape");
  assert.equal(model.asked("asset.close").length, 1);
  assert.equal(document.activeElement, grid);
  press(grid, "ArrowDown", { shiftKey: true });
  press(grid, "Escape");
  await settle();
  assert.equal(el.querySelectorAll("[aria-selected=true]").length, 0);
  assert.equal(el.querySelector(".m-said")!.textContent, "");
  assert.equal(model.asked("asset.close").length, 1);
  press(grid, "Escape");
  assert.equal(model.asked("asset.close").length, 2);
  close();
});

test("a name opens its asset with a click, another cell is only marked", async () => {
  const { model, el, close, active } = table(5);
  await settle();
  el.querySelector<HTMLElement>("[role=gridcell]:nth-child(2)")!.click();
  await settle();
  assert.equal(active(), "1 GiB");
  assert.deepEqual(model.asked("asset.open"), []);
  el.querySelector<HTMLElement>(".m-canvas .m-open")!.click();
  assert.equal(model.asked("asset.open")[0]!["id"], "a0");
  close();
});

test("thousands of rows are copied while they come, page by page", async () => {
  const { model, el, grid, close } = table(3000);
  await settle();
  const given = model.handlers["page"]!;
  model.handlers["page"] = (payload) => new Promise((resolve) => setTimeout(() => resolve(given(payload)), 25));
  const before = copied.length;
  press(grid, "a", { ctrlKey: true });
  press(grid, "c", { ctrlKey: true });
  for (let i = 0; i < 500 && copied.length === before; i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(el.querySelector(".m-said")!.textContent!, /Copied 3,000 rows/);
  assert.equal(copied.at(-1)!.split("\n").length, 3000);
  close();
});

const headings = (el: HTMLElement): string[] =>
  [...el.querySelectorAll("[role=columnheader]")].map((each) => each.textContent!);

test("a column is moved by Ctrl and an arrow, from its heading or in the menu, and the active cell goes with it", async () => {
  const { model, el, grid, button, active, close } = table(5);
  await settle();
  press(grid, "ArrowUp");
  press(grid, "ArrowLeft", { ctrlKey: true });
  assert.deepEqual(model.asked("table.columns"), []);
  press(grid, "ArrowRight", { ctrlKey: true });
  assert.deepEqual(model.asked("table.columns"), [{ keys: ["memory_bytes", "display_name"] }]);
  assert.match(el.querySelector(".m-said")!.textContent!, /Name is column 2 of 2/);
  const turned = [fields[1], fields[0]];
  model.show({ columns: turned });
  await settle();
  assert.deepEqual(headings(el), ["Memory", "Name"]);
  assert.equal(active(), "Name");
  button("Columns").click();
  const box = el.querySelector<HTMLInputElement>("input[value=display_name]")!;
  press(box, "ArrowLeft", { ctrlKey: true });
  assert.deepEqual(model.asked("table.columns").at(-1), { keys });
  el.querySelector<HTMLElement>("[aria-label='Move Name right']")!.click();
  assert.deepEqual(model.asked("table.columns").at(-1), { keys: ["memory_bytes", "display_name"] });
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  assert.equal(button("Columns").getAttribute("aria-expanded"), "false");
  close();
});

test("a heading is dragged onto another", async () => {
  const { model, el, close } = table(5);
  await settle();
  const [name, memory] = el.querySelectorAll<HTMLElement>("[role=columnheader]");
  const drag = (target: HTMLElement, type: string): boolean =>
    target.dispatchEvent(new Event(type, { bubbles: true, cancelable: true }));
  assert.ok(drag(memory!, "drop"), "what comes from elsewhere is not taken");
  drag(name!, "dragstart");
  assert.ok(!drag(memory!, "dragover"));
  drag(memory!, "drop");
  assert.deepEqual(model.asked("table.columns"), [{ keys: ["memory_bytes", "display_name"] }]);
  close();
});

test("the active cell stays in the table when its column goes", async () => {
  const { model, grid, active, close } = table(5);
  await settle();
  press(grid, "End");
  model.show({ columns: fields.slice(0, 1) });
  await settle();
  assert.equal(active(), "vm-0");
  close();
});

test("a heading without an order says what there is an order by", async () => {
  const { model, el, grid, close } = table(5);
  await settle();
  press(grid, "ArrowUp");
  press(grid, "ArrowRight");
  press(grid, "Enter");
  assert.deepEqual(model.asked("table.arrange"), []);
  assert.match(el.querySelector(".m-said")!.textContent!, /Rows are ordered by Name alone/);
  close();
});

test("other rows begin at the first, whatever was walked to; but an order is turned where it was chosen", async () => {
  const { model, grid, active, close } = table(5);
  await settle();
  const other = { page: { ...rows(5, { offset: 0, limit: 100 }), version: 2 } };
  press(grid, "End", { ctrlKey: true });
  model.show({ ...other, question: 1, filter: "web" });
  await settle();
  assert.equal(active(), "vm-0");
  press(grid, "ArrowUp");
  press(grid, "Enter");
  model.show({ ...other, question: 2, order: "display_name desc" });
  await settle();
  press(grid, "Enter");
  assert.deepEqual(model.asked("table.arrange"), [{ order: "display_name desc" }, { order: "display_name" }]);
  close();
});

test("a value of the open asset narrows the filter by one more term, once", async () => {
  const known = { key: "cpu_cores", label: "CPU cores", kind: "number", value: 1, filter: "cpu_cores = 1" };
  const asset = { title: "vm-1", groups: [{ title: "Machine", fields: [known] }] };
  const detail = { name: "s1/assets/a1", depth: 0, error: null, refreshing: false, asset, needs: null, needed_by: null };
  const { model, button, close } = table(5, { filter: "cpu_cores = 16", detail });
  await settle();
  button("1").click();
  assert.deepEqual(model.asked("table.arrange"), [{ filter: "cpu_cores = 16 AND cpu_cores = 1" }]);
  model.show({ filter: "cpu_cores = 16 AND cpu_cores = 1" });
  button("1").click();
  assert.deepEqual(model.asked("table.arrange").at(-1), { filter: "cpu_cores = 16 AND cpu_cores = 1" });
  close();
});

test("clearing the filter leaves the keyboard at it", async () => {
  const { model, input, button, close } = table(5, { filter: "web" });
  await settle();
  button("Clear").focus();
  button("Clear").click();
  await settle();
  assert.deepEqual(model.asked("table.arrange"), [{ filter: "" }]);
  assert.ok(button("Clear").hidden);
  assert.equal(document.activeElement, input);
  close();
});

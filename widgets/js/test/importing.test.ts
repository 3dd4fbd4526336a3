import { FakeModel, failing, into, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/import";

const shown = {
  rev: 1,
  epoch: 0,
  session: "s1",
  status: "ready",
  error: null,
  file: "estate.csv",
  into: "Wave 1",
  summary: "Read as Any table (table): 2 rows",
  kinds: [
    { value: "table", label: "Any table" },
    { value: "rvtools", label: "RVTools export" },
  ],
  kind: "table",
  sheets: [],
  sheet: "",
  types: [
    { value: "", label: "" },
    { value: "server", label: "server" },
  ],
  type: "",
  fields: ["", "hostname", "memory_bytes", "owner"].map((value) => ({ value, label: value })),
  units: { memory_bytes: ["MiB", "GiB"] },
  columns: [
    { name: "Box", field: "", unit: "", assumed: false, samples: "srv-1, srv-2" },
    { name: "Mem", field: "memory_bytes", unit: "MiB", assumed: true, samples: "4, 8" },
    { name: "<b>Owner</b>", field: "owner", unit: "", assumed: false, samples: "<i>Ada</i>" },
  ],
  sample: { head: ["hostname"], rows: [["srv-1"], ["srv-2"]] },
  rejected: [],
  rejected_count: 0,
  notes: [],
  doing: "",
  failed: "",
  progress: null,
  told: "",
  outcome: null,
};
const outcome = {
  equation: "2 rows = 2 created",
  facts: [],
  rejected: [["", 3, "no <b>name</b>"]],
  rejected_count: 9,
  missing: [["srv-9", "may.csv", "", 4]],
  missing_count: 1,
  notes: [],
  replayed: false,
  undoable: true,
  undone: false,
};

async function form(handlers: Record<string, (payload: Record<string, unknown>) => unknown> = {}) {
  const model = new FakeModel({ _state: shown }, handlers);
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  await settle();
  const labelled = (name: string): HTMLSelectElement => {
    const label = [...el.querySelectorAll("label")].find((each) => each.textContent === name)!;
    return el.querySelector<HTMLSelectElement>(`#${label.getAttribute("for")}`)!;
  };
  const choose = (select: HTMLSelectElement, value: string): void => {
    select.value = value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const unit = (name: string) => el.querySelector<HTMLSelectElement>(`[aria-label="Unit of ${name}"]`)!;
  const button = el.querySelector<HTMLButtonElement>("[type=submit]")!;
  return { model, el, labelled, choose, unit, button, close };
}

test("columns are labelled controls, and nothing of a file is markup", async () => {
  const { el, labelled, unit, close } = await form();
  assert.equal(labelled("Mem").value, "memory_bytes");
  assert.equal(unit("Mem").value, "MiB");
  assert.equal(unit("Box").hidden, true);
  assert.equal(labelled("<b>Owner</b>").value, "owner");
  assert.equal(el.querySelector("b, i"), null);
  assert.match(el.textContent!, /Import estate\.csv into Wave 1/);
  close();
});

test("only what was chosen otherwise is sent", async () => {
  const { model, labelled, choose, unit, button, close } = await form({ "import.run": () => ({}) });
  choose(labelled("Box"), "hostname");
  choose(unit("Mem"), "GiB");
  choose(labelled("Type of assets"), "server");
  button.click();
  await settle();
  assert.deepEqual(model.asked("import.run"), [
    { columns: { Box: ["hostname", ""], Mem: ["memory_bytes", "GiB"] }, type: "server" },
  ]);
  close();
});

test("a field that is no amount has no unit", async () => {
  const { model, labelled, choose, unit, button, close } = await form({ "import.run": () => ({}) });
  choose(labelled("Mem"), "owner");
  assert.equal(unit("Mem").hidden, true);
  button.click();
  await settle();
  assert.deepEqual(model.asked("import.run")[0]!["columns"], { Mem: ["owner", ""] });
  close();
});

test("another choice shows what the rows become, and only the last one is asked for", async () => {
  const { model, el, labelled, choose, close } = await form();
  choose(labelled("Box"), "hostname");
  choose(labelled("Box"), "owner");
  await settle();
  const [first, second] = model.sent.filter(({ kind }) => kind === "import.look");
  assert.ok(model.sent.some(({ type, id }) => type === "cancel" && id === first!.id));
  assert.deepEqual(second!.payload, { columns: { Box: ["owner", ""] }, type: "" });
  assert.equal(el.querySelector("form")!.getAttribute("aria-busy"), "true");
  const focused = labelled("Box");
  focused.focus();
  el.querySelector("details")!.open = true;
  model.show({ sample: { head: ["owner"], rows: [["Ada"]] }, rejected: [["", 2, "no name"]], rejected_count: 1 });
  model.answer(second!.id, {});
  await settle();
  assert.match(el.textContent!, /The first 1 asset as it would be.*Ada/);
  assert.match(el.textContent!, /1 row would be rejected/);
  assert.deepEqual([...el.querySelectorAll("details")].map(({ open }) => open).slice(0, 2), [true, false]);
  assert.equal(document.activeElement, focused);
  assert.equal(labelled("Box").value, "owner");
  close();
});

test("a failed import is told in place, keeps what was chosen, and can be tried again", async () => {
  const { model, el, labelled, choose, button, close } = await form({ "import.run": () => ({}), "import.look": () => ({}) });
  choose(labelled("Box"), "hostname");
  button.click();
  await settle();
  model.show({ error: failing({ message: "the session's data changed" }), failed: "importing" });
  assert.match(el.querySelector(".m-notice")!.textContent!, /the session's data changed/);
  assert.equal(button.disabled, false);
  [...el.querySelectorAll("button")].find((each) => each.textContent === "Try again")!.click();
  await settle();
  const [first, second] = model.asked("import.run");
  assert.deepEqual(first, second);
  assert.deepEqual(first!["columns"], { Box: ["hostname", ""] });
  close();
});

test("a question about the preview that fails can be asked again", async () => {
  let answers = 0;
  const look = () => {
    answers += 1;
    if (answers === 1) throw failing({ message: "not now" });
    return {};
  };
  const { el, labelled, choose, close } = await form({ "import.look": look });
  choose(labelled("Box"), "hostname");
  await settle();
  assert.match(el.querySelector(".m-notice")!.textContent!, /not now/);
  [...el.querySelectorAll("button")].find((each) => each.textContent === "Try again")!.click();
  await settle();
  assert.equal(el.querySelector<HTMLElement>(".m-notice")!.hidden, true);
  close();
});

test("progress is shown to whoever looks, and can be cancelled by them", async () => {
  const { model, el, button, labelled, close } = await form();
  const bar = el.querySelector("progress")!;
  const cancel = [...el.querySelectorAll("button")].find((each) => each.textContent === "Cancel")!;
  assert.deepEqual([bar.hidden, cancel.hidden], [true, true]);
  button.click();
  model.show({ doing: "importing", progress: { phase: "writing", done: 1, total: 2 } });
  assert.deepEqual([bar.hidden, bar.getAttribute("value"), bar.getAttribute("max")], [false, "1", "2"]);
  assert.match(el.textContent!, /Writing1 of 2 rows/);
  assert.deepEqual([button.disabled, labelled("Box").disabled, document.activeElement], [true, true, cancel]);
  cancel.click();
  assert.equal(model.asked("import.cancel").length, 1);
  model.show({ doing: "", progress: null, told: "Cancelled: nothing was changed." });
  assert.match(el.textContent!, /Cancelled: nothing was changed\./);
  assert.deepEqual([bar.hidden, cancel.hidden, button.disabled, document.activeElement], [true, true, false, button]);
  close();
});

test("the report says what became of every row, and what was imported can be undone but not imported twice", async () => {
  const { model, el, button, close } = await form();
  model.show({ outcome });
  assert.match(el.textContent!, /2 rows = 2 created\. The views show it already/);
  assert.match(el.textContent!, /9 rows rejected.*no <b>name<\/b>.*… and 8 more, in form\.report\.rejected/s);
  assert.match(el.textContent!, /1 asset of earlier files not in this one.*srv-9/s);
  assert.deepEqual([button.disabled, button.textContent], [true, "Imported"]);
  const undo = [...el.querySelectorAll("button")].find((each) => each.textContent === "Undo this import")!;
  undo.focus();
  undo.click();
  model.show({ doing: "undoing" });
  assert.equal(undo.disabled, true);
  model.show({ doing: "", outcome: { ...outcome, undone: true, undoable: false } });
  assert.match(el.textContent!, /It was undone/);
  assert.deepEqual([undo.hidden, button.textContent], [true, "Undone"]);
  assert.match(document.activeElement!.textContent!, /It was undone/);
  close();
});

test("edits since are lost only when that is said", async () => {
  const { model, el, close } = await form();
  const error = failing({ kind: "FailedPrecondition", reason: "DATA_EDITED", message: "edited since" });
  model.show({ outcome, error, failed: "undoing" });
  [...el.querySelectorAll("button")].find((each) => each.textContent === "Undo anyway")!.click();
  assert.deepEqual(model.asked("import.undo"), [{ force: true }]);
  close();
});

test("an upload that is gone says how to come by another one", async () => {
  const { model, el, close } = await form();
  const error = failing({ kind: "NotFound", reason: "UPLOAD_NOT_FOUND", message: "there is no such upload" });
  model.show({ error, failed: "importing" });
  assert.match(el.querySelector(".m-notice")!.textContent!, /Run the cell with its preview again/);
  assert.ok(![...el.querySelectorAll("button")].some((each) => each.textContent === "Try again"));
  close();
});

test("a file without columns says so", async () => {
  const { model, el, close } = await form();
  model.show({ kind: "rvtools", columns: [] });
  assert.match(el.querySelector(".m-columns")!.textContent!, /no columns to choose for/);
  close();
});

test("another kind reads the file again and shows its columns", async () => {
  const { model, labelled, choose, el, close } = await form({ "import.read": () => ({}) });
  choose(labelled("Read as"), "rvtools");
  await settle();
  assert.deepEqual(model.asked("import.read"), [{ as: "rvtools", sheet: "" }]);
  const columns = [{ name: "VM", field: "hostname", unit: "", assumed: false, samples: "a" }];
  model.show({ ...shown, rev: 2, kind: "rvtools", sheets: ["vInfo", "vHost"], sheet: "vInfo", columns });
  await settle();
  assert.equal(labelled("VM").value, "hostname");
  assert.equal(labelled("Sheet").value, "vInfo");
  assert.equal(el.querySelectorAll(".m-column").length, 1);
  close();
});

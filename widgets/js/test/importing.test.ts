import { FakeModel, failing, into, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/index";

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
  progress: null,
  outcome: null,
};
const outcome = { equation: "2 rows = 2 created", facts: [], rejected: ["row 3: no name"], rejected_count: 9, notes: [] };

async function form(handlers: Record<string, (payload: Record<string, unknown>) => unknown> = {}) {
  const model = new FakeModel({ _view: "import", _state: shown }, handlers);
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

test("a refusal is told in place, keeps what was chosen, and can be tried again", async () => {
  let refused = false;
  const { model, el, labelled, choose, button, close } = await form({
    "import.run": () => {
      if (refused) return {};
      refused = true;
      throw failing({ message: "the session's data changed" });
    },
  });
  choose(labelled("Box"), "hostname");
  button.click();
  await settle();
  assert.match(el.querySelector(".m-notice")!.textContent!, /the session's data changed/);
  assert.equal(button.disabled, false);
  const again = [...el.querySelectorAll("button")].find((each) => each.textContent === "Try again")!;
  again.click();
  await settle();
  assert.equal(el.querySelector<HTMLElement>(".m-notice")!.hidden, true);
  assert.deepEqual(model.asked("import.run")[0], model.asked("import.run")[1]);
  close();
});

test("progress and outcome are shown, and what was imported is not imported twice", async () => {
  const { model, el, button, labelled, close } = await form();
  const bar = el.querySelector("progress")!;
  assert.equal(bar.hidden, true);
  model.show({ ...shown, rev: 2, progress: { phase: "writing", done: 1, total: 2 } });
  await settle();
  assert.deepEqual([bar.hidden, bar.getAttribute("value"), bar.getAttribute("max")], [false, "1", "2"]);
  assert.equal(button.disabled, true);
  model.show({ ...shown, rev: 3, outcome });
  await settle();
  assert.equal(bar.hidden, true);
  assert.match(el.textContent!, /2 rows = 2 created\. The views show it already/);
  assert.match(el.textContent!, /… and 8 more/);
  assert.deepEqual([button.disabled, button.textContent, labelled("Box").disabled], [true, "Imported", true]);
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

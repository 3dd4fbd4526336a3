import { failing, FakeModel, into, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/merge";

const counts = {
  assets: [2, 3, 1200],
  dependencies: [0, 0, 7],
  fills: [{ field: "owner", label: "Owner", count: 2 }],
  conflicts: [{ field: "location", label: "Location", count: 4 }],
  to_source: 1,
  fill_count: 2,
  conflict_count: 4,
};
const asset = "engagements/e/sessions/s1/assets/a1";
const owner = { field: "owner", label: "Owner", kind: "text", target: "Ada", source: "<b>Bob</b>", side: "target", chosen: "" };
const location = { ...owner, field: "location", label: "Location", target: "Lyon", source: "Nantes" };
const conflict = { asset, label: "web-01", newer: "source", fields: [owner, location] };
const page = (items: object[] | null, more: object = {}) => ({ number: 1, items, more: false, refreshing: false, error: null, ...more });
const record = {
  name: "engagements/e/merges/m1",
  says: "“Wave 1” was merged into “Baseline”, and archived.",
  user: "ann",
  time: "2026-01-02T12:00:00Z",
  counts,
  undone: false,
  undoable: true,
};

function merge(state: object = {}, handlers: object = {}) {
  const model = new FakeModel(
    {
      _state: {
        rev: 1,
        epoch: 0,
        session: "",
        status: "ready",
        error: null,
        step: "plan",
        sides: { source: { name: "s2", label: "Wave 1" }, target: { name: "s1", label: "Baseline" } },
        strategies: [
          { value: "combine", label: "Combine", says: "What is empty is filled." },
          { value: "overwrite", label: "Take the source", says: "The source wins." },
        ],
        strategy: "combine",
        keep_source: false,
        preview: counts,
        will: "“Baseline” gets 2 new assets. “Wave 1” is archived.",
        refreshing: false,
        problem: null,
        moved: "",
        only: "",
        rules: { "": "target" },
        chosen: 0,
        undoable: false,
        rows: null,
        doing: "",
        failed: "",
        progress: null,
        told: "",
        record: null,
        drops: null,
        ...state,
      },
    },
    {
      "merge.step": () => ({}),
      "merge.plan": () => ({}),
      "merge.only": () => ({}),
      "merge.choose": () => ({}),
      "merge.page": () => ({}),
      "merge.run": () => ({}),
      "merge.cancel": () => ({}),
      "merge.undo": () => ({}),
      "merge.names": () => ["Wave 1", "Wave 2"],
      "merge.side": () => ({ label: "Wave 2" }),
      "merge.back": () => ({ undone: "Owner of web-01" }),
      retry: () => ({}),
      ...handlers,
    },
  );
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const button = (label: string | RegExp): HTMLButtonElement =>
    [...el.querySelectorAll("button")].find((each) =>
      typeof label === "string" ? each.textContent === label : label.test(each.textContent!),
    )!;
  const heading = el.querySelector<HTMLElement>("h4")!;
  const radios = (): HTMLInputElement[] => [...el.querySelectorAll<HTMLInputElement>(".m-conflict-field input")];
  return { model, el, close, button, heading, radios };
}

const change = (element: HTMLElement): boolean => element.dispatchEvent(new Event("change", { bubbles: true }));
const visible = (element: Element): boolean => !element.closest("[hidden]");

test("strategies say what they do, and what is chosen is asked for", async () => {
  const { model, el, close } = merge();
  assert.match(el.querySelector(".m-strategies")!.textContent!, /Combine What is empty is filled\./);
  const overwrite = el.querySelector<HTMLInputElement>("input[value=overwrite]")!;
  overwrite.checked = true;
  change(overwrite);
  await settle();
  assert.deepEqual(model.asked("merge.plan"), [{ strategy: "overwrite", keep_source: false }]);
  assert.match(el.querySelector(".m-plan")!.textContent!, /Keep “Wave 1” as it is/);
  close();
});

test("sessions are offered by what is typed, and a name that is not there is told beside the field", async () => {
  const { model, el, close } = merge({}, { "merge.side": () => Promise.reject(failing({ message: "there is no session called 'Wav'" })) });
  const input = el.querySelector<HTMLInputElement>("input[list]")!;
  input.value = "Wav";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await settle();
  assert.deepEqual(model.asked("merge.names"), [{ text: "Wav" }]);
  assert.deepEqual([...el.querySelectorAll("datalist")[0]!.children].map((each) => (each as HTMLOptionElement).value), ["Wave 1", "Wave 2"]);
  change(input);
  await settle();
  assert.deepEqual(model.asked("merge.side"), [{ side: "source", text: "Wav" }]);
  assert.equal(input.getAttribute("aria-invalid"), "true");
  assert.equal(input.value, "Wav");
  assert.match(el.querySelector(".m-field-error")!.textContent!, /no session called/);
  model.show({ chosen: 1 });
  assert.equal(input.value, "Wav");
  close();
});

test("without a source there is no next step", () => {
  const { button, close } = merge({ sides: { source: { name: "", label: "" }, target: { name: "s1", label: "Baseline" } } });
  assert.equal(button("Next").disabled, true);
  assert.equal(button("Preview").disabled, true);
  close();
});

test("each step is reached by its name, and takes the keyboard to its heading", async () => {
  const { model, button, heading, el, close } = merge();
  button("Next").click();
  assert.deepEqual(model.asked("merge.step"), [{ to: "preview" }]);
  model.show({ step: "preview" });
  assert.equal(document.activeElement, heading);
  assert.equal(heading.textContent, "What this would do");
  assert.equal(button("Preview").getAttribute("aria-current"), "step");
  assert.match(el.querySelector(".m-numbers")!.textContent!, /4 conflicts, the source wins 1/);
  assert.match(el.querySelector(".m-numbers")!.textContent!, /2 empty values filled/);
  button("Confirm").click();
  assert.deepEqual(model.asked("merge.step").at(-1), { to: "confirm" });
  close();
});

test("a step that another page of the same wizard takes does not take this one's keyboard", () => {
  const { model, button, heading, close } = merge();
  button("Next").focus();
  model.show({ step: "preview" });
  assert.notEqual(document.activeElement, heading);
  close();
});

test("where nothing can be chosen the conflicts are passed over", () => {
  const { model, button, close } = merge({ step: "preview", strategy: "overwrite" });
  assert.equal(button("Conflicts").disabled, true);
  button("Next").click();
  assert.deepEqual(model.asked("merge.step"), [{ to: "confirm" }]);
  close();
});

test("a conflict has both values and the newest, and a choice stays where it was made", async () => {
  const { model, el, radios, close } = merge({ step: "conflicts", rows: page([conflict]) });
  assert.equal(el.querySelector("[role=radiogroup].m-conflict-field")!.getAttribute("aria-label"), "Owner of web-01");
  assert.match(el.querySelector(".m-conflict-field")!.textContent!, /Ada “Baseline”<b>Bob<\/b> “Wave 1”the newest “Wave 1”by rule/);
  assert.equal(el.querySelectorAll("b").length, 0);
  const [target, source] = radios() as [HTMLInputElement, HTMLInputElement];
  assert.ok(target.checked);
  source.focus();
  source.checked = true;
  change(source);
  await settle();
  assert.deepEqual(model.asked("merge.choose"), [{ asset, field: "owner", side: "source" }]);
  const chosen = { ...conflict, fields: [{ ...owner, side: "source", chosen: "source" }, location] };
  model.show({ rows: page([chosen]), chosen: 1, undoable: true });
  assert.equal(document.activeElement, source);
  assert.ok(radios()[1] === source && source.checked);
  assert.match(el.textContent!, /1 choice/);
  close();
});

test("a choice is taken back by itself, or the last one, which is said", async () => {
  const chosen = { ...conflict, fields: [{ ...owner, side: "source", chosen: "newest" }, location] };
  const { model, el, button, radios, close } = merge({ step: "conflicts", rows: page([chosen]), chosen: 1, undoable: true });
  assert.ok(radios()[2]!.checked);
  const undo = button("Undo");
  undo.focus();
  undo.click();
  assert.deepEqual(model.asked("merge.choose"), [{ asset, field: "owner", side: "" }]);
  assert.equal(document.activeElement, radios()[0]);
  button("Undo the last choice").click();
  await settle();
  assert.match([...el.querySelectorAll("[role=status]")].at(-1)!.textContent!, /Undone: Owner of web-01/);
  close();
});

test("a choice that is refused is told, and shown as it was", async () => {
  const { el, radios, close } = merge(
    { step: "conflicts", rows: page([conflict]) },
    { "merge.choose": () => Promise.reject(failing({ message: "a merge takes 10,000 choices" })) },
  );
  radios()[1]!.checked = true;
  change(radios()[1]!);
  await settle();
  assert.ok(radios()[0]!.checked);
  assert.match(el.querySelector(".m-notice:not([hidden])")!.textContent!, /10,000 choices/);
  close();
});

test("one field is listed, and gets a rule of its own", async () => {
  const { model, el, close } = merge({ step: "conflicts", rows: page([conflict]) });
  const [only, rule] = [...el.querySelectorAll("select")] as [HTMLSelectElement, HTMLSelectElement];
  only.value = "location";
  change(only);
  await settle();
  assert.deepEqual(model.asked("merge.only"), [{ field: "location" }]);
  model.show({ only: "location", rules: { "": "target", location: "source" } });
  assert.equal(rule.value, "source");
  assert.match(el.textContent!, /Location goes to/);
  rule.value = "newest";
  change(rule);
  await settle();
  assert.deepEqual(model.asked("merge.choose"), [{ asset: "", field: "location", side: "newest" }]);
  close();
});

test("what will happen is agreed to only once it is known", () => {
  const { model, el, button, close } = merge({ step: "confirm", preview: null, will: "", refreshing: true });
  assert.equal(button("Merge").disabled, true);
  assert.match(el.querySelector(".m-will")!.textContent!, /Looking/);
  model.show({ preview: counts, will: "“Baseline” gets 2 new assets.", refreshing: false });
  assert.equal(button("Merge").disabled, false);
  button("Merge").click();
  assert.equal(model.asked("merge.run").length, 1);
  close();
});

test("while it runs it can be cancelled, by whoever looks; then the record has the keyboard", () => {
  const { model, el, button, heading, close } = merge({ step: "confirm" });
  button("Merge").focus();
  button("Merge").click();
  model.show({ doing: "merging", progress: { phase: "settling", done: 10, total: 40 } });
  assert.equal(document.activeElement, button("Cancel"));
  assert.match(el.textContent!, /Settling10 of 40 rows/);
  assert.equal(button("Sessions").disabled, true);
  button("Cancel").click();
  assert.equal(model.asked("merge.cancel").length, 1);
  model.show({ doing: "", progress: null, step: "record", record });
  assert.equal(document.activeElement, heading);
  assert.match(el.querySelector(".m-will")!.textContent!, /was merged into “Baseline”, and archived\. By ann/);
  close();
});

test("the record says what is not in the result, and is undone", () => {
  const drop = { label: "web-01", values: [{ ...owner, taken: "source" }] };
  const { model, el, button, close } = merge({ step: "record", record, drops: page([drop], { more: true }) });
  assert.match([...el.querySelectorAll(".m-conflicts")].find(visible)!.textContent!, /web-01Owner <b>Bob<\/b>, not Ada of “Baseline”/);
  assert.equal(visible(button("Next")), false);
  button("Undo this merge").click();
  assert.deepEqual(model.asked("merge.undo"), [{}]);
  model.show({ record: { ...record, undone: true, undoable: false, says: "It was undone." } });
  assert.equal(visible(button("Undo this merge")), false);
  button("Merge another one").click();
  assert.deepEqual(model.asked("merge.step"), [{ to: "plan" }]);
  close();
});

test("edits that would be lost are told, and asked for again", () => {
  const error = failing({ reason: "DATA_EDITED", message: "3 edits of the data since the merge would be lost; set `force` to undo it" });
  const { model, el, button, close } = merge({ step: "record", record, error, failed: "undoing" });
  const notice = el.querySelector(".m-notice:not([hidden])")!;
  assert.match(notice.textContent!, /3 edits of the data since the merge would be lost\./);
  assert.doesNotMatch(notice.textContent!, /force/);
  button("Undo anyway").click();
  assert.deepEqual(model.asked("merge.undo"), [{ force: true }]);
  close();
});

test("whoever may not merge is told so plainly, and a merge that failed is tried again", () => {
  const { model, el, button, close } = merge({ step: "confirm", error: failing({ kind: "PermissionDenied", message: "no" }), failed: "merging" });
  assert.match(el.querySelector(".m-hint")!.textContent!, /Ask a manager for the role of an analyst; what you chose stays here/);
  button("Try again").click();
  assert.equal(model.asked("merge.run").length, 1);
  close();
});

test("news of somebody else's change stand above the preview", () => {
  const { model, el, close } = merge({ step: "preview" });
  const moved = el.querySelector<HTMLElement>(".m-moved")!;
  assert.equal(moved.hidden, true);
  model.show({ moved: "“Wave 1” has changed (by ann). This is what would happen now." });
  assert.equal(moved.hidden, false);
  assert.equal(moved.getAttribute("role"), "status");
  close();
});

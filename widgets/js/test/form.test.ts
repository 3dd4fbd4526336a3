import { FakeModel, failing, into, press, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel } from "../src/channel";
import { Form } from "../src/form";

const WAVE_1 = "engagements/e/sessions/s1";

const opened = (session: string, values: object, etag = "7", source = "") => ({
  session,
  etag,
  values,
  source,
  types: [
    { value: "a", label: "A" },
    { value: "b", label: "B" },
  ],
  sources: session
    ? []
    : [
        { value: "", label: "Nothing" },
        { value: WAVE_1, label: "Wave 1" },
      ],
});
const OLD = { display_name: "Wave 1", description: "old", type: "a" };
const BLANK = { display_name: "", description: "", type: "a" };

async function form(
  session: string,
  save: (payload: Record<string, unknown>) => unknown = () => ({ name: "n", label: "Saved" }),
  open: (payload: Record<string, unknown>) => unknown = ({ session, source }) =>
    opened(session as string, session ? OLD : { ...BLANK, description: source ? "of the source" : "" }, "7", source as string),
) {
  const model = new FakeModel({}, { "form.open": open, "form.save": save });
  const done: string[] = [];
  const made = new Form({
    channel: new Channel(model),
    saved: ({ label }) => done.push(label),
    cancelled: () => done.push("cancelled"),
  });
  into(made.root);
  await made.open(session);
  const name = made.root.querySelector("input")!;
  const button = made.root.querySelector<HTMLButtonElement>("[type=submit]")!;
  const type = (control: HTMLInputElement | HTMLTextAreaElement, value: string): void => {
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return { model, made, root: made.root, name, button, type, done };
}

test("saving is possible only when something has changed, and sends only that", async () => {
  const { model, root, name, button, type, done } = await form(WAVE_1);
  assert.equal(button.disabled, true);
  type(name, "Wave 1b");
  assert.equal(button.disabled, false);
  type(name, "Wave 1");
  assert.equal(button.disabled, true);
  type(root.querySelector("textarea")!, "new");
  button.click();
  await settle();
  assert.deepEqual(model.asked("form.save"), [
    { session: WAVE_1, etag: "7", source: "", values: { description: "new" }, switch: false },
  ]);
  assert.deepEqual(done, ["Saved"]);
});

test("Ctrl+Enter saves and Escape cancels", async () => {
  const { model, name, type, done } = await form("");
  type(name, "What if");
  press(name, "Enter", { ctrlKey: true });
  await settle();
  assert.equal(model.asked("form.save")[0]!["switch"], true);
  press(name, "Escape");
  assert.deepEqual(done, ["Saved", "cancelled"]);
});

test("a field's error stands beside it and takes the focus", async () => {
  const refuse = () =>
    Promise.reject(
      failing({
        kind: "AlreadyExists",
        fields: [{ field: "session.display_name", message: "This name is taken." }],
      }),
    );
  const { root, name, button, type } = await form("", refuse);
  type(name, "Wave 1");
  button.click();
  await settle();
  assert.equal(name.getAttribute("aria-invalid"), "true");
  assert.equal(
    document.getElementById(name.getAttribute("aria-describedby")!)!.textContent,
    "This name is taken.",
  );
  assert.equal(document.activeElement, name);
  assert.equal((root.querySelector(".m-notice") as HTMLElement).hidden, true);
  assert.equal(name.value, "Wave 1");
});

/** Answers saves only with the newest etag, which the second opening has. */
function raced(theirs: object) {
  let times = 0;
  const open = () => ((times += 1) === 1 ? opened(WAVE_1, OLD) : opened(WAVE_1, { ...OLD, ...theirs }, "8"));
  const save = ({ etag }: Record<string, unknown>) =>
    etag === "8" ? { name: WAVE_1, label: "Saved" } : Promise.reject(failing({ kind: "Conflict", message: "changed" }));
  return form(WAVE_1, save, open);
}

const radios = (root: Element): HTMLInputElement[] => [...root.querySelectorAll<HTMLInputElement>("input[type=radio]")];

test("a conflict shows mine and theirs of each field, and the choice is what is saved", async () => {
  const { model, root, name, button, type, done } = await raced({ display_name: "Theirs", description: "theirs" });
  type(name, "Mine");
  type(root.querySelector("textarea")!, "mine");
  button.click();
  await settle();
  assert.deepEqual(done, []);
  assert.deepEqual(
    [...root.querySelectorAll("fieldset")].map((each) => each.textContent),
    ["NameMineMineTheirsTheirs", "DescriptionMinemineTheirstheirs"],
  );
  assert.deepEqual([name.value, document.activeElement], ["Mine", radios(root)[0]]);
  radios(root)[1]!.click();
  assert.equal(name.value, "Theirs");
  button.click();
  await settle();
  assert.deepEqual(model.asked("form.save").at(-1)!["values"], { description: "mine" });
  assert.deepEqual(done, ["Saved"]);
});

test("all of theirs leaves nothing to save", async () => {
  const { root, name, button, type } = await raced({ display_name: "Theirs" });
  type(name, "Mine");
  button.click();
  await settle();
  [...root.querySelectorAll("button")].find((each) => each.textContent === "Take all of theirs")!.click();
  assert.deepEqual([name.value, button.disabled], ["Theirs", true]);
});

test("what somebody else changed in other fields needs no choice", async () => {
  const { model, root, name, button, type, done } = await raced({ description: "theirs" });
  type(name, "Mine");
  button.click();
  await settle();
  assert.deepEqual(model.asked("form.save").at(-1)!["values"], { display_name: "Mine" });
  assert.deepEqual([done, radios(root).length], [["Saved"], 0]);
});

test("the same change made by somebody else is taken as saved", async () => {
  const { name, button, type, done } = await raced({ display_name: "Mine" });
  type(name, "Mine");
  button.click();
  await settle();
  assert.deepEqual(done, ["Mine"]);
});

test("what was typed waits while another session is edited", async () => {
  const { root, name, type, made } = await form(WAVE_1);
  type(name, "Mine");
  await made.open("");
  assert.equal(name.value, "");
  const back = [...root.querySelectorAll("button")].find((each) => each.textContent === "Wave 1")!;
  back.click();
  await settle();
  assert.deepEqual([name.value, made.unsaved], ["Mine", WAVE_1]);
});

test("a new session takes over its source, but for what was typed", async () => {
  const { model, root, name, button, type } = await form("");
  type(name, "What if");
  const source = root.querySelectorAll("select")[1]!;
  source.value = WAVE_1;
  source.dispatchEvent(new Event("change", { bubbles: true }));
  await settle();
  assert.deepEqual([name.value, root.querySelector("textarea")!.value], ["What if", "of the source"]);
  button.click();
  await settle();
  assert.deepEqual(model.asked("form.save")[0], {
    session: "",
    etag: "7",
    source: WAVE_1,
    values: { display_name: "What if" },
    switch: true,
  });
});

test("Escape asks once before it throws away what was typed", async () => {
  const { root, name, type, done } = await form(WAVE_1);
  type(name, "Mine");
  press(name, "Escape");
  assert.deepEqual(done, []);
  assert.match(root.querySelector("[role=status]")!.textContent!, /Esc again/);
  press(name, "Escape");
  assert.deepEqual(done, ["cancelled"]);
});

test("of two forms opened in a row only the last one's answer fills the fields", async () => {
  const answers: (() => void)[] = [];
  const model = new FakeModel(
    {},
    {
      "form.open": ({ session }) =>
        new Promise((resolve) =>
          answers.push(() =>
            resolve(opened(session as string, { ...BLANK, display_name: session })),
          ),
        ),
    },
  );
  const made = new Form({ channel: new Channel(model), saved: () => undefined, cancelled: () => undefined });
  into(made.root);
  const both = [made.open("slow"), made.open("quick")];
  await settle();
  for (const answer of answers.reverse()) answer();
  await Promise.all(both);
  assert.equal(made.root.querySelector("input")!.value, "quick");
  assert.equal(made.unsaved, undefined);
});

import { FakeModel, failing, into, press, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel } from "../src/channel";
import { Form } from "../src/form";

async function form(
  session: string,
  save: (payload: Record<string, unknown>) => unknown = () => ({ name: "n", label: "Saved" }),
) {
  const values = session
    ? { display_name: "Wave 1", description: "old", type: "a" }
    : { display_name: "", description: "", type: "a" };
  const model = new FakeModel(
    {},
    {
      "form.open": () => ({
        session,
        etag: "7",
        values,
        types: [
          { value: "a", label: "A" },
          { value: "b", label: "B" },
        ],
      }),
      "form.save": save,
    },
  );
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
  return { model, root: made.root, name, button, type, done };
}

test("saving is possible only when something has changed, and sends only that", async () => {
  const { model, root, name, button, type, done } = await form("engagements/e/sessions/s1");
  assert.equal(button.disabled, true);
  type(name, "Wave 1b");
  assert.equal(button.disabled, false);
  type(name, "Wave 1");
  assert.equal(button.disabled, true);
  type(root.querySelector("textarea")!, "new");
  button.click();
  await settle();
  assert.deepEqual(model.asked("form.save"), [
    { session: "engagements/e/sessions/s1", etag: "7", values: { description: "new" }, switch: false },
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

test("a conflict offers the newest version", async () => {
  const refuse = () => Promise.reject(failing({ kind: "Conflict", message: "Somebody else changed it." }));
  const { model, root, name, button, type } = await form("engagements/e/sessions/s1", refuse);
  type(name, "mine");
  button.click();
  await settle();
  assert.match(root.querySelector(".m-notice")!.textContent!, /Somebody else changed it\./);
  [...root.querySelectorAll("button")]
    .find((each) => each.textContent === "Load the newest version")!
    .click();
  await settle();
  assert.equal(model.asked("form.open").length, 2);
  assert.equal(name.value, "Wave 1");
});

test("of two forms opened in a row only the last one's answer fills the fields", async () => {
  const answers: (() => void)[] = [];
  const model = new FakeModel(
    {},
    {
      "form.open": ({ session }) =>
        new Promise((resolve) =>
          answers.push(() =>
            resolve({ session, etag: "", values: { display_name: session, description: "", type: "" }, types: [] }),
          ),
        ),
    },
  );
  const made = new Form({ channel: new Channel(model), saved: () => undefined, cancelled: () => undefined });
  into(made.root);
  const opened = [made.open("slow"), made.open("quick")];
  await settle();
  for (const answer of answers.reverse()) answer();
  await Promise.all(opened);
  assert.equal(made.root.querySelector("input")!.value, "quick");
  assert.equal(made.unsaved, undefined);
});

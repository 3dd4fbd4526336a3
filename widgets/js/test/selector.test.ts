import { FakeModel, failing, into, press, session, settle, slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/index";

const engagement = { name: "engagements/e", label: "Contoso", session_count: 4 };
const ready = {
  rev: 1,
  epoch: 1,
  status: "ready",
  error: null,
  connection: "live",
  engagement,
  session: session(1),
  lists: 1,
};

function selector(
  state: object = {},
  handlers: Record<string, (payload: Record<string, unknown>) => unknown> = {},
) {
  const model = new FakeModel(
    { _view: "selector", _state: { ...ready, ...state } },
    {
      sessions: (payload) => slice(session, 4, payload),
      engagements: (payload) => slice(() => engagement, 1, payload),
      select: (payload) => {
        const index = Number(String(payload["session"]).split("/s").pop());
        model.show({ epoch: (model.get("_state") as typeof ready).epoch + 1, session: session(index) });
        return {};
      },
      "form.open": ({ session: name }) => ({
        session: name,
        etag: "7",
        values: { display_name: name ? "Wave 1" : "", description: "", type: "a" },
        types: [{ value: "a", label: "A" }],
        sources: [],
        source: "",
      }),
      refresh: () => ({}),
      ...handlers,
    },
  );
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const boxes = [...el.querySelectorAll<HTMLElement>("[role=combobox]")];
  const live = (): string => el.querySelector("[aria-live=polite]")!.textContent!.trim();
  return { model, el, close, box: boxes[1]!, live };
}

test("it shows names, counts and the connection in words", () => {
  const { el, box, close } = selector({ session: session(0) });
  assert.match(box.textContent!, /Baseline.*Default.*0 assets/);
  assert.match(el.querySelector(".m-status")!.textContent!, /Live/);
  close();
});

test("a choice is shown at once as pending, and announced when it is true", async () => {
  let answer = (_: unknown): void => undefined;
  const { model, el, box, live, close } = selector(
    {},
    { select: () => new Promise((resolve) => (answer = resolve)) },
  );
  press(box, "Enter");
  await settle();
  press(box, "ArrowDown");
  press(box, "Enter");
  assert.match(box.textContent!, /Wave 2/);
  assert.equal(box.getAttribute("aria-busy"), "true");
  assert.equal((el.querySelector(".m-pending") as HTMLElement).hidden, false);
  assert.equal(live(), "Switching to Wave 2");
  await settle();
  model.show({ epoch: 2, session: session(2) });
  answer({});
  await settle();
  assert.equal(box.getAttribute("aria-busy"), null);
  close();
});

test("a refused choice is put back, with the reason and a way on", async () => {
  const { el, box, close } = selector(
    {},
    { select: () => Promise.reject(failing({ message: "That session is gone." })) },
  );
  press(box, "]");
  await settle();
  assert.match(box.textContent!, /Wave 1/);
  const notice = el.querySelector(".m-notice")!;
  assert.match(notice.textContent!, /That session is gone\..*Try again.*What to do/);
  close();
});

test("brackets step through the sessions and stop at the ends", async () => {
  const { model, box, live, close } = selector();
  for (const key of ["]", "]", "]"]) {
    assert.ok(press(box, key));
    await settle();
  }
  assert.deepEqual(
    model.asked("select").map((payload) => payload["session"]),
    [session(2).name, session(3).name],
  );
  assert.equal(live(), "This is the last session");
  close();
});

test("n opens an empty form and e one of the session; Escape closes it", async () => {
  const { model, el, box, close } = selector();
  press(box, "n");
  await settle();
  const name = el.querySelector("input")!;
  assert.equal(document.activeElement, name);
  assert.ok(press(name, "Escape"));
  assert.equal((el.querySelector(".m-panel") as HTMLElement).hidden, true);
  press(box, "e");
  await settle();
  assert.deepEqual(
    model.asked("form.open").map((payload) => payload["session"]),
    ["", session(1).name],
  );
  assert.equal(name.value, "Wave 1");
  close();
});

test("in a text field shortcut letters are letters", async () => {
  const { model, el, box, close } = selector();
  press(box, "n");
  await settle();
  assert.equal(press(el.querySelector("input")!, "r"), false);
  assert.deepEqual(model.asked("refresh"), []);
  close();
});

test("keys never reach the notebook", () => {
  const { el, box, close } = selector();
  const heard: string[] = [];
  const hear = (event: Event): number => heard.push((event as KeyboardEvent).key);
  document.addEventListener("keydown", hear);
  for (const key of ["a", "d", "j", "ArrowDown", "Enter", "x"]) press(box, key);
  document.removeEventListener("keydown", hear);
  assert.deepEqual(heard, []);
  assert.ok(el.querySelector("[data-lm-suppress-shortcuts]"));
  close();
});

test("a gone session is said to be gone, with a choice", () => {
  const { el, close } = selector({ status: "gone" });
  assert.match(el.querySelector(".m-notice")!.textContent!, /Wave 1 is gone\..*Choose another session/);
  close();
});

test("a state of an earlier switch is not painted", () => {
  const { model, box, close } = selector({ epoch: 5 });
  model.set("_state", { ...ready, rev: 9, epoch: 4, session: session(3) });
  assert.match(box.textContent!, /Wave 1/);
  model.set("_state", { ...ready, rev: 10, epoch: 6, session: session(2) });
  assert.match(box.textContent!, /Wave 2/);
  close();
});

test("two views of one selector show the same", async () => {
  const { model, el, box, close } = selector();
  const second = document.createElement("div");
  el.after(second);
  const closeSecond = mooring.render({ model, el: second });
  press(box, "]");
  await settle();
  assert.match(second.querySelectorAll("[role=combobox]")[1]!.textContent!, /Wave 2/);
  close();
  closeSecond();
});

test("a view that does not exist is said, not left blank", () => {
  const el = document.createElement("div");
  mooring.render({ model: new FakeModel({ _view: "nonsense" }), el });
  assert.match(el.textContent!, /could not be drawn.*nonsense/);
});

import { FakeModel, into, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/activity";

const line = (more: object) => ({
  time: new Date().toISOString(),
  actor: "ann",
  done: "created",
  what: "Wave 1",
  session: "",
  resource: "engagements/e/sessions/s1",
  ...more,
});

function activity(state: object = {}) {
  const model = new FakeModel(
    {
      _state: {
        rev: 1,
        epoch: 1,
        session: "s1",
        status: "ready",
        error: null,
        title: "Activity",
        session_label: "Contoso",
        refreshing: false,
        kinds: [
          { value: "", label: "Everything" },
          { value: "imported", label: "Imported" },
        ],
        kind: "",
        of_session: false,
        fixed: false,
        lines: [line({})],
        count: 1,
        more: false,
        cut: false,
        ...state,
      },
    },
    { "activity.choose": () => ({}), "activity.older": () => ({}) },
  );
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const [kind, scope] = [...el.querySelectorAll("select")] as [HTMLSelectElement, HTMLSelectElement];
  const older = [...el.querySelectorAll("button")].find((each) => each.textContent === "Older")!;
  return { model, el, kind, scope, older, close };
}

test("lines stand under the days of whoever looks, as sentences, and nothing in them is markup", () => {
  const before = "2020-02-03T12:00:00Z";
  const { el, close } = activity({
    lines: [
      line({ what: "<b>Wave</b>" }),
      line({ time: before, actor: "bob", done: "updated", what: "3 assets", session: "Wave 2" }),
      line({ time: before }),
    ],
    count: 5,
  });
  assert.deepEqual(
    [...el.querySelectorAll("h4")].map((each) => each.textContent),
    ["Today", "Monday, February 3, 2020"],
  );
  const sentences = [...el.querySelectorAll(".m-sentence")].map((each) => each.textContent);
  assert.deepEqual(sentences, ["ann created <b>Wave</b>", "bob updated 3 assets in Wave 2", "ann created Wave 1"]);
  assert.equal(el.querySelectorAll("ol")[1]!.querySelectorAll("li").length, 2);
  assert.equal(el.querySelectorAll("time")[1]!.getAttribute("datetime"), before);
  assert.match(el.querySelector("[role=status]")!.textContent!, /5 changes/);
  close();
});

test("choosing a kind or whose it is asks for it", async () => {
  const { model, kind, scope, close } = activity();
  kind.value = "imported";
  kind.dispatchEvent(new Event("change", { bubbles: true }));
  scope.value = "session";
  scope.dispatchEvent(new Event("change", { bubbles: true }));
  await settle();
  assert.deepEqual(model.asked("activity.choose"), [
    { only: "imported", of_session: false },
    { only: "imported", of_session: true },
  ]);
  close();
});

test("where nothing of a kind has happened another kind can be chosen", () => {
  const { el, kind, close } = activity({ status: "empty", kind: "imported", lines: [], count: 0 });
  assert.match(el.querySelector(".m-empty")!.textContent!, /Nothing of this kind has happened/);
  assert.equal(kind.value, "imported");
  assert.equal(kind.closest("[hidden]"), null);
  close();
});

test("older ones are asked for, and the button passes the focus on when there are no more", () => {
  const { model, el, kind, older, close } = activity({ more: true, count: 50 });
  assert.match(el.textContent!, /The newest 50/);
  older.focus();
  older.click();
  assert.equal(model.asked("activity.older").length, 1);
  model.show({ more: false, cut: true });
  assert.deepEqual([older.hidden, document.activeElement], [true, kind]);
  assert.match(el.textContent!, /ws\.activity\.recent\(None\) has all/);
  close();
});

test("of one session for good there is no other to choose, and another session's is gone at once", () => {
  const { model, el, scope, close } = activity({ fixed: true, of_session: true });
  assert.ok(scope.closest("[hidden]"));
  model.show({ epoch: 2, session: "s2", status: "loading", lines: null });
  assert.equal(el.querySelectorAll("li").length, 0);
  close();
});

import { FakeModel, failing, into, press, session, settle, slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { widget } from "../src/widget";
import mooring from "../src/widgets/selector";
import { KEYS } from "../src/keys";

const engagement = {
  name: "engagements/e",
  label: "Contoso",
  session_count: 4,
  description: "",
  default_session: session(0).name,
};
const ready = {
  rev: 1,
  epoch: 1,
  status: "ready",
  error: null,
  connection: "live",
  engagement,
  session: session(1),
  compared: [],
  lists: 1,
  shortcuts: 1,
};
const written: string[] = [];
Object.defineProperty(globalThis, "navigator", {
  configurable: true,
  value: { clipboard: { writeText: async (value: string) => void written.push(value) } },
});

function selector(
  state: object = {},
  handlers: Record<string, (payload: Record<string, unknown>) => unknown> = {},
) {
  const model = new FakeModel(
    { _state: { ...ready, ...state } },
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
      shortcuts: () => ({ default: session(0), pinned: [session(3)], recent: [session(1), session(2)] }),
      pin: () => ({ pinned: true }),
      compare: ({ sessions }) => {
        model.show({ compared: (sessions as string[]).map((name) => ({ name, label: name })) });
        return {};
      },
      place: () => ({ index: -1 }),
      ...handlers,
    },
  );
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const boxes = [...el.querySelectorAll<HTMLElement>(".m-combo")];
  const search = el.querySelectorAll<HTMLInputElement>(".m-search")[1]!;
  const live = (): string => el.querySelector("[aria-live=polite]")!.textContent!.trim();
  return { model, el, close, box: boxes[1]!, search, live };
}

/** The marked row of the open list. */
function marked(search: HTMLInputElement): string | null | undefined {
  const row = document.getElementById(search.getAttribute("aria-activedescendant") ?? "");
  return row?.querySelector(".m-value")?.textContent;
}

const pause = async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 150));
  await settle();
};

test("it shows names, counts and the connection in words", () => {
  const { el, box, close } = selector({ session: session(0) });
  assert.match(box.textContent!, /Baseline.*Default.*0 assets/);
  assert.match(el.querySelector(".m-status")!.textContent!, /Live/);
  close();
});

test("a choice is shown at once as pending, and announced when it is true", async () => {
  let answer = (_: unknown): void => undefined;
  const { model, el, box, search, live, close } = selector(
    {},
    { select: () => new Promise((resolve) => (answer = resolve)) },
  );
  press(box, "Enter");
  await settle();
  assert.equal(marked(search), "Wave 1");
  press(search, "ArrowDown");
  press(search, "Enter");
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
  const name = el.querySelector<HTMLInputElement>("form input")!;
  assert.ok(document.activeElement === name);
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

test("/ opens the list with the search field in focus, wherever the focus was", async () => {
  const { el, search, close } = selector();
  const refresh = el.querySelector<HTMLElement>("[aria-label=Refresh]")!;
  assert.ok(press(refresh, "/"));
  assert.ok(document.activeElement === search);
  assert.equal(search.value, "");
  assert.ok(press(search, "/"), "a second one is not searched for");
  close();
});

test("Escape closes, then clears what was searched for, then leaves", async () => {
  const { el, box, search, close } = selector();
  press(box, "/");
  await settle();
  search.value = "wave";
  search.dispatchEvent(new Event("input"));
  await pause();
  press(search, "Escape");
  assert.equal(box.getAttribute("aria-expanded"), "false");
  const narrowed = el.querySelectorAll(".m-narrowed")[1]!;
  assert.equal(narrowed.textContent, "only “wave”");
  press(box, "Escape");
  assert.equal(narrowed.textContent, "");
  assert.ok(document.activeElement === box);
  press(box, "Escape");
  assert.ok(document.activeElement !== box);
  close();
});

test("a search is put to the kernel with what narrows it", async () => {
  const { model, el, box, search, close } = selector();
  press(box, "/");
  await settle();
  [...el.querySelectorAll<HTMLElement>("button.m-chip")].find((each) => each.textContent === "Mine")!.click();
  search.value = " wave ";
  search.dispatchEvent(new Event("input"));
  await pause();
  const { search: words, mine, archived, latest, type, engagement: parent } = model.asked("sessions").at(-1)!;
  assert.deepEqual(
    { words, mine, archived, latest, type, parent },
    { words: "wave", mine: true, archived: false, latest: false, type: "", parent: "engagements/e" },
  );
  close();
});

test("the default, pinned and recent sessions stand above a long list", async () => {
  const { box, search, close } = selector({}, { sessions: (payload) => slice(session, 10_000, payload) });
  press(box, "Enter");
  await settle();
  const groups = [...document.querySelectorAll(".m-canvas [role=group]")].filter((each) =>
    each.querySelector("[role=option]"),
  );
  assert.deepEqual(
    groups.map((each) => [
      each.getAttribute("aria-label"),
      ...[...each.querySelectorAll("[role=option] > .m-value")].map((value) => value.textContent),
    ]).slice(0, 2),
    [
      ["Default and pinned", "Baseline", "Wave 3"],
      ["Recent", "Wave 1", "Wave 2"],
    ],
  );
  assert.equal(marked(search), "Wave 1");
  press(search, "ArrowDown");
  assert.equal(marked(search), "Wave 2", "the one before is one key away");
  close();
});

test("p pins the session, Alt+P the marked row; a refusal is said and taken back", async () => {
  const { model, el, box, search, live, close } = selector();
  press(box, "p");
  await settle();
  assert.equal(live(), "Wave 1 pinned");
  press(box, "Enter");
  await settle();
  model.handlers["pin"] = () => Promise.reject(failing({ message: "unpin another session first" }));
  press(search, "ArrowDown");
  const row = document.getElementById(search.getAttribute("aria-activedescendant")!)!;
  assert.equal(marked(search), "Wave 2");
  assert.ok(press(search, "π", { altKey: true, code: "KeyP" }));
  await settle();
  assert.deepEqual(model.asked("pin").at(-1), { session: session(2).name });
  assert.equal(live(), "unpin another session first");
  assert.equal(el.querySelectorAll(".m-option .m-act-pin.m-on").length, 1, "of Wave 3");
  assert.ok(row);
  close();
});

test("sessions are marked for comparison, in the list and beside it, and unmarked", async () => {
  const { model, el, box, search, live, close } = selector();
  assert.ok(press(box, " ", { shiftKey: true }));
  assert.equal(live(), "Wave 1 is compared");
  press(box, "Enter");
  await settle();
  press(search, "ArrowDown");
  assert.ok(press(search, " ", { ctrlKey: true }));
  await settle();
  assert.deepEqual(model.asked("compare").at(-1), { sessions: [session(1).name, session(2).name] });
  const states = [...document.querySelectorAll("[role=option]")].map((row) => row.getAttribute("aria-checked"));
  assert.equal(states.filter((each) => each === "true").length, 2);
  const strip = el.querySelector<HTMLElement>(".m-compared")!;
  assert.match(strip.textContent!, /Comparing.*Wave 1.*Wave 2/);
  strip.querySelector<HTMLElement>("[aria-label='Do not compare Wave 1']")!.click();
  await settle();
  assert.deepEqual(model.asked("compare").at(-1), { sessions: [session(2).name] });
  model.show({ compared: [] });
  assert.ok(strip.hidden, "the kernel may say so too");
  close();
});

test("c copies the full name, C the line that switches; in the open list those of the marked row", async () => {
  const { box, search, live, close } = selector({ session: { ...session(1), label: 'Wave "1"' } });
  press(box, "c");
  await settle();
  assert.equal(written.at(-1), session(1).name);
  assert.equal(live(), `Copied ${session(1).name}`);
  press(box, "C", { shiftKey: true });
  await settle();
  assert.equal(written.at(-1), 'ws.switch("Wave \\"1\\"")');
  press(box, "Enter");
  await settle();
  press(search, "End");
  press(search, "ç", { altKey: true, code: "KeyC" });
  await settle();
  assert.equal(written.at(-1), session(2).name);
  close();
});

test("? shows every key, and Escape is the dialog's own", async () => {
  const { el, box, close } = selector();
  press(box, "?", { shiftKey: true });
  const dialog = el.querySelector("dialog")!;
  assert.ok(dialog.open);
  for (const { keys } of KEYS) {
    for (const [, meaning] of keys) assert.ok(dialog.textContent!.includes(meaning));
  }
  assert.equal(press(dialog, "n"), false);
  close();
});

test("i shows the details of what is chosen, and Escape hides them first", () => {
  const { el, box, live, close } = selector({ session: { ...session(1), description: "Two racks less" } });
  press(box, "i");
  const tip = document.getElementById(box.getAttribute("aria-describedby")!)!;
  assert.match(tip.textContent!, /Wave 1.*engagements\/e\/sessions\/s1.*Two racks less.*10 assets/);
  assert.match(live(), /Two racks less/);
  press(box, "Escape");
  assert.ok(tip.hidden);
  assert.ok(el.contains(document.activeElement) || document.activeElement === document.body);
  close();
});

test("a session off the loaded pages has its neighbours asked for by its place", async () => {
  const { model, box, close } = selector(
    { session: session(7777) },
    { sessions: (payload) => slice(session, 10_000, payload), place: () => ({ index: 7777 }) },
  );
  press(box, "]");
  await pause();
  assert.deepEqual(model.asked("select"), [{ session: session(7778).name }]);
  close();
});

test("brackets in quick succession go on from each other", async () => {
  const { model, box, close } = selector();
  press(box, "]");
  press(box, "]");
  await pause();
  assert.deepEqual(
    model.asked("select").map((payload) => payload["session"]),
    [session(2).name, session(3).name],
  );
  close();
});

test("an archived session says so, with a way back", async () => {
  const { model, el, box, close } = selector(
    { session: { ...session(1), archived: true } },
    { unarchive: () => ({}) },
  );
  assert.match(box.textContent!, /Archived/);
  const note = el.querySelector<HTMLElement>(".m-archived")!;
  assert.match(note.textContent!, /can be read, and not be changed/);
  note.querySelector("button")!.click();
  await settle();
  assert.deepEqual(model.asked("unarchive"), [{ session: session(1).name }]);
  model.show({ session: session(1) });
  assert.ok(note.hidden);
  close();
});

test("in a text field shortcut letters are letters", async () => {
  const { model, el, box, close } = selector();
  press(box, "n");
  await settle();
  assert.equal(press(el.querySelector<HTMLInputElement>("form input")!, "r"), false);
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

test("a gone session is said to be gone, with a choice", async () => {
  const { model, el, close } = selector({ status: "gone" });
  assert.match(
    el.querySelector(".m-notice")!.textContent!,
    /Wave 1 is gone\..*Choose another session.*Go to the default session.*Bring it back/,
  );
  const go = [...el.querySelectorAll("button")].find((each) => each.textContent === "Go to the default session")!;
  go.click();
  await settle();
  assert.deepEqual(model.asked("select"), [{ session: session(0).name }]);
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
  assert.match(second.querySelectorAll(".m-combo")[1]!.textContent!, /Wave 2/);
  close();
  closeSecond();
});

test("a widget that cannot be drawn says so instead of staying blank", () => {
  const el = document.createElement("div");
  const broken = widget(() => {
    throw new Error("no such thing");
  });
  broken.render({ model: new FakeModel({}), el });
  assert.match(el.textContent!, /could not be drawn.*no such thing/);
});

import { into, press, session, settle, slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Combobox } from "../src/listbox";
import type { ListOptions } from "../src/listing";
import type { Session } from "../src/types";

type Fetch = ListOptions<Session>["fetch"];

/** Long enough for a pause in typing. */
const pause = async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 150));
  await settle();
};

function combobox(total: number, more: Partial<ListOptions<Session>> = {}) {
  const chosen: string[] = [];
  const said: string[] = [];
  const searched: string[] = [];
  const found: Fetch = async (query, offset, limit) => {
    searched.push(query.search);
    const all = query.search
      ? Array.from({ length: Math.min(total, 200) }, (_, index) => session(index)).filter(({ label }) =>
          label.toLowerCase().includes(query.search.toLowerCase()),
        )
      : null;
    return all ? { items: all.slice(offset, offset + limit), total: all.length } : slice(session, total, { offset, limit });
  };
  const box = new Combobox<Session>({
    label: "Session",
    noun: "session",
    search: "Search by name",
    fetch: found,
    choice: ({ name, label, is_default }) => ({ name, label, badges: is_default ? ["Default"] : [], detail: "" }),
    detail: ({ name, label }) => ({ name, label, description: "", facts: [], labels: [] }),
    commit: ({ label }) => chosen.push(label),
    announce: (message) => said.push(message),
    ...more,
  });
  into(box.root);
  box.set({ name: session(2).name, label: "Wave 2", detail: "" }, null);
  const search = box.root.querySelector<HTMLInputElement>(".m-search")!;
  const type = (value: string): void => {
    search.value = value;
    search.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return { box, chosen, said, searched, search, type };
}

function active(search: HTMLInputElement): string | undefined {
  const id = search.getAttribute("aria-activedescendant");
  return id ? (document.getElementById(id)?.querySelector(".m-value")?.textContent ?? undefined) : undefined;
}

const options = (): string[] =>
  [...document.querySelectorAll("[role=option] .m-value")].map((value) => value.textContent ?? "");

test("closed it is a combobox with a popup that is not expanded", () => {
  const { box } = combobox(5);
  assert.equal(box.trigger.getAttribute("role"), "combobox");
  assert.equal(box.trigger.getAttribute("aria-expanded"), "false");
  const popup = document.getElementById(box.trigger.getAttribute("aria-controls")!)!;
  assert.equal(popup.getAttribute("role"), "dialog");
  assert.ok(popup.hidden);
});

test("open, the search field has the focus, controls the list and names the marked row", async () => {
  const { box, search } = combobox(5);
  press(box.trigger, "Enter");
  await settle();
  assert.ok(document.activeElement === search);
  assert.equal(search.getAttribute("aria-expanded"), "true");
  assert.equal(document.getElementById(search.getAttribute("aria-controls")!)!.getAttribute("role"), "listbox");
  assert.equal(active(search), "Wave 2");
});

test("Down opens at the chosen row, moves, and Enter commits", async () => {
  const { box, chosen, search } = combobox(5);
  assert.ok(press(box.trigger, "ArrowDown"));
  await settle();
  press(search, "ArrowDown");
  assert.equal(active(search), "Wave 3");
  press(search, "Enter");
  assert.deepEqual(chosen, ["Wave 3"]);
  assert.equal(box.trigger.getAttribute("aria-expanded"), "false");
  assert.ok(document.activeElement === box.trigger);
});

test("Home, End and pages go through a million rows; the active row is in the page", async () => {
  const { box, search } = combobox(1_000_000);
  press(box.trigger, "Enter");
  await settle();
  press(search, "End");
  await pause();
  assert.equal(active(search), "Wave 999999");
  const row = document.getElementById(search.getAttribute("aria-activedescendant")!)!;
  assert.equal(row.getAttribute("aria-posinset"), "1000000");
  assert.equal(row.getAttribute("aria-setsize"), "1000000");
  assert.ok(document.querySelectorAll("[role=option]").length < 26);
  press(search, "PageUp");
  await pause();
  assert.equal(active(search), "Wave 999990");
  press(search, "Home");
  await settle();
  assert.equal(active(search), "Baseline");
});

test("keys that come before the first rows are followed once they are here", async () => {
  const { box, search } = combobox(50);
  press(box.trigger, "Enter");
  press(search, "End");
  press(search, "ArrowUp");
  await pause();
  assert.equal(active(search), "Wave 48");
});

test("rows are in the page in their order, whichever way the list was scrolled", async () => {
  const { box, search } = combobox(1000);
  press(box.trigger, "Enter");
  await settle();
  for (const key of ["End", "PageUp", "PageUp", "PageDown", "Home"]) {
    press(search, key);
    await settle();
    const places = [...document.querySelectorAll("[role=option]")].map((row) =>
      Number(row.getAttribute("aria-posinset")),
    );
    assert.deepEqual(places, [...places].sort((a, b) => a - b));
  }
});

test("the chosen row is the selected one, and the default is said in words", async () => {
  const { box } = combobox(5);
  press(box.trigger, "Enter");
  await settle();
  const selected = [...document.querySelectorAll("[role=option][aria-selected=true]")];
  assert.deepEqual(
    selected.map((row) => row.querySelector(".m-value")!.textContent),
    ["Wave 2"],
  );
  assert.equal(document.querySelector("[role=option] .m-badge")!.textContent, "Default");
});

test("Tab never commits, and the list closes once the focus is elsewhere", async () => {
  const { box, chosen, search } = combobox(5);
  const elsewhere = document.createElement("button");
  document.body.append(elsewhere);
  press(box.trigger, "Enter");
  await settle();
  press(search, "ArrowDown");
  assert.equal(press(search, "Tab"), false, "the browser must move the focus");
  elsewhere.focus();
  await settle();
  assert.equal(box.trigger.getAttribute("aria-expanded"), "false");
  assert.deepEqual(chosen, []);
});

test("Escape closes without committing and gives the focus back", async () => {
  const { box, chosen, search } = combobox(5);
  press(box.trigger, "Enter");
  await settle();
  assert.ok(press(search, "Escape"));
  assert.ok(document.activeElement === box.trigger);
  assert.deepEqual(chosen, []);
  assert.equal(press(box.trigger, "Escape"), false, "closed, Escape is for whoever is around");
});

test("what is typed is searched for after a pause; the rows before stay until then", async () => {
  const { box, searched, search, said, type } = combobox(30);
  press(box.trigger, "Enter");
  await settle();
  const before = options().length;
  type("wave 1");
  assert.equal(options().length, before);
  assert.deepEqual(searched, [""]);
  await pause();
  assert.deepEqual(searched, ["", "wave 1"]);
  assert.equal(active(search), "Wave 1");
  assert.equal(said.at(-1), "11 sessions found");
  assert.equal(document.querySelector("[role=option]")!.getAttribute("aria-setsize"), "11");
});

test("Enter before a search is answered chooses the best of what it finds", async () => {
  const { box, chosen, type, search } = combobox(30);
  press(box.trigger, "Enter");
  await settle();
  type("Wave 21");
  press(search, "Enter");
  assert.deepEqual(chosen, []);
  await pause();
  assert.deepEqual(chosen, ["Wave 21"]);
  press(box.trigger, "Enter");
  assert.equal(search.value, "", "the next search begins anew");
});

test("a row that was moved to is not chosen by an Enter before it", async () => {
  const { box, chosen, type, search } = combobox(30);
  press(box.trigger, "Enter");
  await settle();
  type("wave");
  press(search, "Enter");
  press(search, "ArrowDown");
  await pause();
  assert.deepEqual(chosen, []);
});

test("a search that finds nothing says so, and lists all again when asked", async () => {
  const { box, said, type } = combobox(30);
  press(box.trigger, "Enter");
  await settle();
  type("nothing like it");
  await pause();
  assert.equal(said.at(-1), "No session matches");
  const foot = document.querySelector(".m-foot")!;
  assert.match(foot.textContent!, /No session matches.*List all/);
  foot.querySelector("button")!.click();
  await settle();
  assert.equal(options()[0], "Baseline");
});

test("a search that was left says what the closed list is narrowed to, until it is widened", async () => {
  const { box, type, search } = combobox(30);
  press(box.trigger, "Enter");
  await settle();
  type("wave 2");
  await pause();
  press(search, "Escape");
  assert.equal(box.root.querySelector(".m-narrowed")!.textContent, "only “wave 2”");
  assert.ok(box.widen());
  assert.equal(box.root.querySelector(".m-narrowed")!.textContent, "");
  assert.ok(!box.widen());
});

test("switches and choices narrow the list at once", async () => {
  const asked: object[] = [];
  const { box } = combobox(5, {
    filters: [
      { key: "mine", label: "Mine", title: "Mine" },
      { key: "type", label: "Type", title: "Type", choices: [["", "Any"], ["a", "A"]] },
    ],
    fetch: async (query) => (asked.push(query), { items: [session(1)], total: 1 }),
  });
  press(box.trigger, "Enter");
  await settle();
  const mine = box.root.querySelector<HTMLElement>("button.m-chip")!;
  mine.click();
  await settle();
  assert.equal(mine.getAttribute("aria-pressed"), "true");
  const menu = box.root.querySelector("select")!;
  menu.value = "a";
  menu.dispatchEvent(new Event("change"));
  await settle();
  assert.deepEqual(asked.at(-1), { search: "", mine: true, type: "a" });
});

test("a list that was counted to a bound has no known size, and grows as it is read", async () => {
  const { box, search } = combobox(0, {
    fetch: async (_, offset) => ({
      items: Array.from({ length: offset < 300 ? 100 : 20 }, (_, index) => session(offset + index)),
      total: offset < 300 ? 150 : 320,
      at_least: offset < 300,
    }),
  });
  press(box.trigger, "Enter");
  await settle();
  assert.equal(document.querySelector("[role=option]")!.getAttribute("aria-setsize"), "-1");
  assert.match(document.querySelector(".m-foot")!.textContent!, /of at least \d+ sessions/);
  for (let page = 0; page < 4; page += 1) {
    press(search, "End");
    await pause();
  }
  assert.equal(active(search), "Wave 319");
  assert.equal(document.querySelector("[role=option]")!.getAttribute("aria-setsize"), "320");
});

test("groups stand above, each with its name, and the rows below are not repeated", async () => {
  const { box, search } = combobox(20, {
    groups: () => [
      { title: "Pinned", items: [session(7)] },
      { title: "Recent", items: [session(2), session(9)] },
    ],
  });
  press(box.trigger, "Enter");
  await settle();
  const groups = [...document.querySelectorAll("[role=group][aria-label]")].map((each) => [
    each.getAttribute("aria-label"),
    [...each.querySelectorAll("[role=option] .m-value")].map((value) => value.textContent),
  ]);
  assert.deepEqual(groups.slice(0, 2), [
    ["Pinned", ["Wave 7"]],
    ["Recent", ["Wave 2", "Wave 9"]],
  ]);
  assert.equal(groups[2]![0], "All sessions");
  assert.ok(!(groups[2]![1] as string[]).includes("Wave 7"));
  assert.equal(active(search), "Wave 2");
  press(search, "ArrowUp");
  assert.equal(active(search), "Wave 7", "a heading is no row");
  press(search, "ArrowUp");
  assert.equal(active(search), "Wave 7");
  press(search, "End");
  await settle();
  const row = document.getElementById(search.getAttribute("aria-activedescendant")!)!;
  assert.deepEqual([row.getAttribute("aria-posinset"), row.getAttribute("aria-setsize")], ["17", "17"]);
});

test("when rows come above, the mark stays on the row where it was", async () => {
  let recent: Session[] = [];
  const { box, search } = combobox(200, { groups: () => [{ title: "Recent", items: recent }] });
  press(box.trigger, "Enter");
  await settle();
  press(search, "ArrowDown");
  assert.equal(active(search), "Wave 3");
  recent = [session(50), session(60)];
  box.listing.arrange();
  assert.equal(active(search), "Wave 3");
});

test("when rows come above a mark whose row is still on its way, it stays on that row", async () => {
  let shown: Session[] = [];
  const { box, search } = combobox(1000, { groups: () => [{ title: "Pinned", items: shown }] });
  press(box.trigger, "Enter");
  await settle();
  press(search, "End");
  shown = [session(5), session(7)];
  box.listing.arrange();
  await pause();
  assert.equal(active(search), "Wave 999");
});

test("a failure says why, and a retry keeps the keyboard in the list", async () => {
  let broken = true;
  const { box, search } = combobox(5, {
    fetch: async (_, offset, limit) => {
      if (broken) throw new Error("the service is away");
      return slice(session, 5, { offset, limit });
    },
  });
  press(box.trigger, "Enter");
  await settle();
  const foot = document.querySelector(".m-foot")!;
  assert.match(foot.textContent!, /the service is away.*Try again/);
  broken = false;
  const again = foot.querySelector("button")!;
  again.focus();
  again.click();
  await pause();
  assert.equal(box.trigger.getAttribute("aria-expanded"), "true");
  assert.ok(document.activeElement === search);
  assert.equal(options().length, 5);
});

test("the marked row is described by its details", async () => {
  const { box, search } = combobox(5, {
    detail: ({ name, label }) => ({ name, label, description: "Two racks less", facts: ["5 assets"], labels: [["team", "blue"]] }),
  });
  press(box.trigger, "Enter");
  await settle();
  const row = document.getElementById(search.getAttribute("aria-activedescendant")!)!;
  const details = document.getElementById(row.getAttribute("aria-describedby")!)!;
  assert.match(details.textContent!, /Wave 2.*Two racks less.*5 assets.*team: blue/);
});

test("a click on a row commits it", async () => {
  const { box, chosen } = combobox(5);
  box.trigger.click();
  await settle();
  (document.querySelectorAll("[role=option]")[4] as HTMLElement).click();
  assert.deepEqual(chosen, ["Wave 4"]);
});

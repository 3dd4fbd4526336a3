import { into, press, session, settle, slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Combobox } from "../src/listbox";
import type { Session } from "../src/types";

function combobox(total: number): { box: Combobox<Session>; chosen: string[] } {
  const chosen: string[] = [];
  const box = new Combobox<Session>({
    label: "Session",
    plural: "Sessions",
    fetch: async (offset, limit) => slice(session, total, { offset, limit }),
    choice: ({ name, label, is_default }) =>
      is_default ? { name, label, badge: "Default", detail: "" } : { name, label, detail: "" },
    commit: ({ label }) => chosen.push(label),
    announce: () => undefined,
  });
  into(box.root);
  box.set({ name: session(2).name, label: "Wave 2", detail: "" });
  return { box, chosen };
}

function active(box: Combobox<Session>): string | undefined {
  const id = box.trigger.getAttribute("aria-activedescendant");
  return id ? (document.getElementById(id)?.querySelector(".m-value")?.textContent ?? undefined) : undefined;
}

test("closed it is a combobox with a popup that is not expanded", () => {
  const { box } = combobox(5);
  assert.equal(box.trigger.getAttribute("role"), "combobox");
  assert.equal(box.trigger.getAttribute("aria-expanded"), "false");
  assert.equal(
    document.getElementById(box.trigger.getAttribute("aria-controls")!)?.getAttribute("role"),
    "listbox",
  );
});

test("Down opens at the chosen row, moves, and Enter commits", async () => {
  const { box, chosen } = combobox(5);
  assert.ok(press(box.trigger, "ArrowDown"));
  await settle();
  assert.equal(box.trigger.getAttribute("aria-expanded"), "true");
  assert.equal(active(box), "Wave 2");
  press(box.trigger, "ArrowDown");
  assert.equal(active(box), "Wave 3");
  press(box.trigger, "Enter");
  assert.deepEqual(chosen, ["Wave 3"]);
  assert.equal(box.trigger.getAttribute("aria-expanded"), "false");
});

test("Home, End and pages go through a million rows; the active row is in the page", async () => {
  const { box } = combobox(1_000_000);
  press(box.trigger, "Enter");
  await settle();
  press(box.trigger, "End");
  await settle();
  assert.equal(active(box), "Wave 999999");
  const row = document.getElementById(box.trigger.getAttribute("aria-activedescendant")!)!;
  assert.equal(row.getAttribute("aria-posinset"), "1000000");
  assert.equal(row.getAttribute("aria-setsize"), "1000000");
  assert.ok(document.querySelectorAll("[role=option]").length < 40);
  press(box.trigger, "PageUp");
  await settle();
  assert.equal(active(box), "Wave 999990");
  press(box.trigger, "Home");
  await settle();
  assert.equal(active(box), "Baseline");
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

test("Tab leaves and Escape closes without committing", async () => {
  const { box, chosen } = combobox(5);
  press(box.trigger, "Enter");
  await settle();
  press(box.trigger, "ArrowDown");
  assert.equal(press(box.trigger, "Tab"), false, "the browser must move the focus");
  assert.equal(box.trigger.getAttribute("aria-expanded"), "false");
  press(box.trigger, "Enter");
  await settle();
  assert.ok(press(box.trigger, "Escape"));
  assert.deepEqual(chosen, []);
  assert.equal(press(box.trigger, "Escape"), false, "closed, Escape is for whoever is around");
});

test("typing goes to the next name that begins so", async () => {
  const { box } = combobox(30);
  press(box.trigger, "Enter");
  await settle();
  for (const key of "wave 1") press(box.trigger, key);
  assert.equal(active(box), "Wave 10");
  await new Promise((resolve) => setTimeout(resolve, 750));
  press(box.trigger, "b");
  assert.equal(active(box), "Baseline");
});

test("a click on a row commits it", async () => {
  const { box, chosen } = combobox(5);
  box.trigger.click();
  await settle();
  (document.querySelectorAll("[role=option]")[4] as HTMLElement).click();
  assert.deepEqual(chosen, ["Wave 4"]);
});

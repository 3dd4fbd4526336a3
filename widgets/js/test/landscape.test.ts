import { FakeModel, into, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/landscape";

const totals = {
  asset_count: 10,
  cpu_cores: 24,
  memory_bytes: null,
  storage_bytes: 2 ** 40,
  known: { cpu_cores: 6, memory_bytes: 0, storage_bytes: 10 },
};

async function landscape(more: object = {}) {
  const shown = {
    totals,
    groups: [],
    unknown: [],
    applications: [],
    application_count: 0,
    dependencies: { count: 0, kinds: [], isolated: 10, degrees: [] },
    completeness: [],
    ...more,
  };
  const state = { rev: 1, epoch: 1, session: "s1", status: "ready", error: null, refreshing: false };
  const model = new FakeModel({
    _state: { ...state, title: "Landscape", session_label: "Wave 1", landscape: shown },
  });
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  await settle();
  const drawn = el.cloneNode(true) as HTMLElement;
  close();
  return drawn;
}

test("a sum says of how many assets it is, and one of none is a dash", async () => {
  const el = await landscape();
  const tiles = [...el.querySelectorAll(".m-tile")].map((tile) => tile.textContent);
  assert.deepEqual(tiles, [
    "Assets10",
    "CPU cores24of 6 of 10 assets",
    "Memory–not known",
    "Storage1 TiBof all assets",
  ]);
});

test("what nothing is known of is named in a line, and a field that is known of none is a dash", async () => {
  const el = await landscape({
    unknown: ["Criticality", "Technology"],
    completeness: [
      { label: "Host name", known: 10 },
      { label: "Owner", known: 0 },
    ],
  });
  assert.match(el.textContent!, /Nothing is known of: criticality, technology\./);
  assert.equal(el.querySelector("summary")!.textContent, "How much is known: 1 of 2 fields of every asset");
  const rows = [...el.querySelectorAll(".m-completeness li")].map((row) => row.textContent);
  assert.deepEqual(rows, ["Host name10 100 %", "Owner–"]);
  assert.equal(el.querySelectorAll(".m-fill").length, 1);
});

test("applications and the most connected assets stand in tables with headings", async () => {
  const el = await landscape({
    applications: [{ label: "billing", totals, server_count: 2, servers: ["web01", "web02"] }],
    application_count: 40,
    dependencies: {
      count: 7,
      kinds: [{ label: "Flow", count: 7 }],
      isolated: 3,
      degrees: [{ label: "db01", needed_by: 5, needs: 1 }],
    },
  });
  const [applications, dependencies] = [...el.querySelectorAll("table")];
  assert.equal(applications!.getAttribute("aria-label"), "Applications");
  assert.equal(applications!.querySelector("tbody tr")!.textContent, "billing10224");
  assert.equal(applications!.querySelector("td[title]")!.getAttribute("title"), "web01, web02");
  assert.match(el.textContent!, /The 1 largest of 40/);
  assert.equal(dependencies!.querySelector("tbody tr")!.textContent, "db0151");
  assert.match(el.textContent!, /7 dependencies \(7 flow\); 3 of 10 assets without any/);
});

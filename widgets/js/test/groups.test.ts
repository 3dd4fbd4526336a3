import { slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Group, Layout } from "../src/groups";
import { Pages } from "../src/pages";

const made = (index: number): string => `s${index}`;

async function layout(total: number, groups: Group<string>[]): Promise<Layout<string>> {
  const pages = new Pages<string>(
    async (offset, limit) => slice(made, total, { offset, limit }),
    () => undefined,
  );
  await pages.reach(0);
  return new Layout(groups, pages, "All", (item) => item);
}

const lines = (of: Layout<string>): (string | undefined)[] =>
  Array.from({ length: of.count }, (_, index) => {
    const line = of.line(index)!;
    return line.kind === "heading" ? `[${line.title}]` : line.item;
  });

test("a list without groups has no headings", async () => {
  const plain = await layout(3, [{ title: "Pinned", items: [] }]);
  assert.deepEqual(lines(plain), ["s0", "s1", "s2"]);
  assert.deepEqual(plain.titles, []);
});

test("a short list shows each row once", async () => {
  const short = await layout(4, [{ title: "Pinned", items: ["s2"] }]);
  assert.deepEqual(lines(short), ["[Pinned]", "s2", "[All]", "s0", "s1", "s3"]);
  assert.deepEqual(short.line(3), { kind: "item", item: "s0", group: 1, position: 1, size: 3 });
});

test("a list of which all stands above has nothing below", async () => {
  assert.deepEqual(lines(await layout(1, [{ title: "Pinned", items: ["s0"] }])), ["[Pinned]", "s0"]);
});

test("a long list has all of its rows in their places below the groups", async () => {
  const long = await layout(5000, [{ title: "Pinned", items: ["s4000"] }]);
  assert.equal(long.count, 5003);
  assert.deepEqual(long.line(3), { kind: "item", item: "s0", group: 1, position: 1, size: 5000 });
  assert.deepEqual(long.toPages(0, 2), null);
  assert.deepEqual(long.toPages(1, 12), [0, 9]);
  assert.equal(long.item(5002), undefined, "not loaded, but a row");
  assert.equal(long.near(Infinity, 1), 5002);
});

test("the nearest row is never a heading", async () => {
  const both = await layout(4, [
    { title: "Pinned", items: ["s2"] },
    { title: "Recent", items: ["s1"] },
  ]);
  assert.equal(both.near(0, -1), 1);
  assert.equal(both.near(2, 1), 3);
  assert.equal(both.near(2, -1), 1);
  assert.equal((await layout(0, [])).near(0, 1), -1);
});

test("a row that stands twice is found in the group that is asked for", async () => {
  const twice = await layout(5000, [{ title: "Recent", items: ["s1"] }]);
  assert.equal(twice.indexOf("s1"), 1);
  assert.equal(twice.indexOf("s1", "All"), 4);
  assert.equal(twice.indexOf("s9", "Recent"), 12);
  assert.equal(twice.indexOf("nobody"), -1);
});

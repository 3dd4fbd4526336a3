import { press } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cells } from "../src/cells";
import { tsv } from "../src/table_fields";

function cells(rows = 100, columns = 4): { at: Cells; keys: (...pressed: (string | [string, object])[]) => void } {
  const at = new Cells({ rows: () => rows, columns: () => columns, page: () => 10 });
  const target = document.createElement("div");
  target.addEventListener("keydown", (event) => at.key(event as KeyboardEvent));
  return {
    at,
    keys: (...pressed) => {
      for (const key of pressed) typeof key === "string" ? press(target, key) : press(target, ...key);
    },
  };
}

test("arrows, Home, End and pages walk and stop at the edges", () => {
  const { at, keys } = cells();
  keys("ArrowDown", "ArrowRight");
  assert.deepEqual(at.active, { row: 1, column: 1 });
  keys("End", "ArrowRight");
  assert.deepEqual(at.active, { row: 1, column: 3 });
  keys("PageDown", "Home", "ArrowLeft");
  assert.deepEqual(at.active, { row: 11, column: 0 });
  keys(["End", { ctrlKey: true }], "ArrowDown");
  assert.deepEqual(at.active, { row: 99, column: 3 });
  keys(["Home", { ctrlKey: true }]);
  assert.deepEqual(at.active, { row: 0, column: 0 });
});

test("the header is one arrow above the first row, and no page goes there", () => {
  const { at, keys } = cells();
  keys("ArrowDown", "PageUp");
  assert.equal(at.active.row, 0);
  keys("ArrowUp");
  assert.equal(at.active.row, -1);
  keys("PageUp", "ArrowUp");
  assert.equal(at.active.row, -1);
  keys("PageDown");
  assert.equal(at.active.row, 9);
});

test("Shift selects from where it began, and any other step lets go", () => {
  const { at, keys } = cells();
  keys("ArrowRight", ["ArrowDown", { shiftKey: true }], ["ArrowRight", { shiftKey: true }]);
  assert.deepEqual(at.area, { top: 0, bottom: 1, left: 1, right: 2 });
  assert.ok(at.selected({ row: 1, column: 1 }) && !at.selected({ row: 2, column: 1 }));
  keys("ArrowUp");
  assert.equal(at.area, null);
});

test("rows are selected by Shift and Space, all of them by Ctrl and A", () => {
  const { at, keys } = cells();
  keys("ArrowDown", ["ArrowDown", { shiftKey: true }], [" ", { shiftKey: true }]);
  assert.deepEqual(at.area, { top: 1, bottom: 2, left: 0, right: 3 });
  keys(["a", { ctrlKey: true }]);
  assert.deepEqual(at.area, { top: 0, bottom: 99, left: 0, right: 3 });
  assert.ok(at.unselect() && !at.unselect());
});

test("nothing of an empty table is selected or walked to", () => {
  const { at, keys } = cells(0);
  keys("ArrowDown", ["a", { ctrlKey: true }], ["End", { ctrlKey: true }]);
  assert.equal(at.area, null);
  assert.equal(at.active.row, -1);
});

test("what would break a line or a cell of a spreadsheet is put in quotes", () => {
  assert.equal(tsv([["a\tb", 'say "hi"', null], ["two\nlines", 4.5, "plain"]]), '"a\tb"\t"say ""hi"""\t\n"two\nlines"\t4.5\tplain');
});

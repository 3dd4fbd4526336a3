import "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_PIXELS, ScrollMap } from "../src/rows";

test("a list that fits under the limit scrolls as it is", () => {
  const map = new ScrollMap(32_000, 320);
  assert.equal(map.height, 32_000);
  assert.equal(map.toList(1234), 1234);
  assert.equal(map.toBar(1234), 1234);
});

test("a million rows keep under the height that browsers can make", () => {
  const map = new ScrollMap(1_000_000 * 32, 320);
  assert.equal(map.height, MAX_PIXELS);
  assert.ok(map.mapped);
});

test("both ends and every row of a mapped list can be reached", () => {
  const map = new ScrollMap(1_000_000 * 32, 320);
  assert.equal(map.toList(0), 0);
  assert.equal(map.toList(MAX_PIXELS - 320), map.end);
  assert.equal(map.toBar(map.end), MAX_PIXELS - 320);
  for (const offset of [1, 32, 15_999_968, map.end - 1])
    assert.ok(Math.abs(map.toList(map.toBar(offset)) - offset) < 1e-6);
});

test("an offset is kept inside the list", () => {
  const map = new ScrollMap(1000, 320);
  assert.equal(map.clamp(-5), 0);
  assert.equal(map.clamp(5000), 680);
  assert.equal(new ScrollMap(100, 320).clamp(50), 0);
});

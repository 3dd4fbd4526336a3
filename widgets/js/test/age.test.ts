import { into } from "./support";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Age, agoOf } from "../src/age";

test("an age is told in one unit, rounded down, and never of the future", () => {
  const ages: [number, string][] = [
    [-5, "just now"],
    [59, "just now"],
    [60, "1 min ago"],
    [3599, "59 min ago"],
    [3600, "1 h ago"],
    [86_400, "1 day ago"],
    [200_000, "2 days ago"],
  ];
  for (const [age, words] of ages) assert.equal(agoOf(1000, 1000 + age), `as of ${words}`);
});

test("the words follow the clock, and there are none while what is shown is kept true", () => {
  mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_000_000_000 });
  const age = new Age();
  into(age.root);
  assert.equal(age.root.hidden, true);
  age.show(1_000_000 - 61);
  assert.equal(age.root.textContent, "as of 1 min ago");
  mock.timers.tick(60_000);
  assert.equal(age.root.textContent, "as of 2 min ago");
  age.show(null);
  assert.equal(age.root.textContent, "");
  assert.equal(age.root.hidden, true);
  mock.timers.reset();
});

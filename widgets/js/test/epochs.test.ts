import assert from "node:assert/strict";
import { test } from "node:test";
import { Epochs } from "../src/epochs";

function joined(workspace: string) {
  let behind = false;
  const member = Epochs.of(workspace).join((is) => (behind = is));
  return { ...member, behind: () => behind };
}

test("who has not heard of a switch is behind from the moment that another one has", () => {
  const [selector, view] = [joined("a"), joined("a")];
  selector.reach(0);
  view.reach(0);
  selector.reach(1);
  assert.deepEqual([selector.behind(), view.behind()], [false, true]);
  view.reach(1);
  assert.equal(view.behind(), false);
});

test("a widget that comes late is behind until it has caught up", () => {
  const [selector, view] = [joined("b"), joined("b")];
  selector.reach(4);
  view.reach(3);
  assert.equal(view.behind(), true);
  view.reach(4);
  assert.equal(view.behind(), false);
});

test("workspaces do not wait for each other, and a page forgets those that have left", () => {
  const [one, other] = [joined("c"), joined("d")];
  one.reach(9);
  other.reach(1);
  assert.equal(other.behind(), false);
  one.leave();
  const again = joined("c");
  again.reach(0);
  assert.equal(again.behind(), false);
});

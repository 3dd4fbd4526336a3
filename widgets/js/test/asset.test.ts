import { FakeModel, failing, into, press } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import mooring from "../src/widgets/asset";

const fact = (label: string, value: unknown, filter = "", kind = "text") => ({ key: label, label, kind, value, filter });
const end = (id: string) => ({ id, label: `the ${id}`, kind: "Flow", through: "443/tcp", description: "" });
const ends = (...ids: string[]) => ({ items: ids.map(end), total: ids.length, at_least: false, more: false });

function detail(id: string, more: object = {}) {
  const groups = [
    { title: "Identity", fields: [fact("Name", id, `display_name = "${id}"`)] },
    { title: "Machine", fields: [fact("Memory", 2 ** 31, "memory_bytes = 2147483648", "bytes")] },
    { title: "Where it comes from", fields: [fact("File", "estate.xlsx"), fact("Row", 7, "", "plain")] },
  ];
  const asset = { title: id, groups };
  return { name: `s1/assets/${id}`, depth: 0, error: null, refreshing: false, asset, needs: ends("db"), needed_by: ends(), ...more };
}

function view(state: object = {}) {
  const model = new FakeModel({
    _state: {
      rev: 1,
      epoch: 3,
      session: "s1",
      status: "ready",
      error: null,
      title: "Asset",
      session_label: "Wave 1",
      refreshing: false,
      wanted: "web",
      same: 1,
      detail: detail("web"),
      ...state,
    },
  });
  const el = into(document.createElement("div"));
  const close = mooring.render({ model, el });
  const panel = el.querySelector<HTMLElement>("section")!;
  const button = (name: string): HTMLElement =>
    [...el.querySelectorAll<HTMLElement>("button")].find((each) => each.textContent === name)!;
  return { model, el, panel, button, close };
}

test("what is known is said by groups, with where it comes from and both kinds of dependencies", () => {
  const { panel, close } = view();
  const groups = [...panel.querySelectorAll("[role=group]")].map((each) => each.textContent);
  assert.deepEqual(groups, [
    "IdentityNameweb",
    "MachineMemory2 GiB",
    "Where it comes fromFileestate.xlsxRow7",
    "Needs (1)the db Flow, 443/tcp",
    "Needed byNothing that is known",
  ]);
  close();
});

test("a dependency is followed, and Backspace or Escape goes back", () => {
  const { model, panel, button, close } = view();
  button("the db").click();
  assert.deepEqual(model.asked("asset.open"), [{ session: "s1", epoch: 3, id: "db" }]);
  model.show({ detail: detail("db", { depth: 1 }) });
  assert.equal((document.activeElement as HTMLElement).textContent, "db");
  press(panel, "Backspace");
  press(panel, "Escape");
  assert.deepEqual(model.asked("asset.back"), [{ session: "s1", epoch: 3 }, { session: "s1", epoch: 3 }]);
  model.show({ detail: detail("web") });
  press(panel, "Backspace");
  assert.equal(model.asked("asset.back").length, 2);
  close();
});

test("news of the data does not take the keyboard away", () => {
  const { model, panel, button, close } = view();
  button("the db").focus();
  model.show({ detail: detail("web", { needs: ends("db", "cache") }) });
  assert.match(panel.textContent!, /Needs \(2\)/);
  assert.ok(panel.contains(document.activeElement));
  document.body.tabIndex = -1;
  document.body.focus();
  model.show({ detail: detail("mail") });
  assert.ok(!panel.contains(document.activeElement));
  close();
});

test("more dependencies come in place, and the keyboard is at the first of them", () => {
  const { model, panel, button, close } = view({ detail: detail("web", { needs: { ...ends("db"), total: 2, more: true } }) });
  button("More").focus();
  button("More").click();
  assert.equal(model.asked("asset.more").length, 1);
  model.show({ detail: detail("web", { needs: ends("db", "cache") }) });
  assert.equal(panel.querySelectorAll("li").length, 2);
  assert.equal((document.activeElement as HTMLElement).textContent, "the cache");
  close();
});

test("names are texts, whatever they look like", () => {
  const wicked = "<img src=x onerror=alert(1)>";
  const { panel, close } = view({ detail: detail(wicked, { needs: ends(wicked) }) });
  assert.equal(panel.querySelectorAll("img").length, 0);
  assert.match(panel.textContent!, /<img src=x/);
  close();
});

test("loading, failed and missing are told apart", () => {
  const { model, el, panel, button, close } = view({ detail: detail("web", { asset: null, needs: null, needed_by: null }) });
  assert.match(panel.textContent!, /Loading…/);
  model.show({ detail: detail("web", { asset: null, error: failing({ message: "It broke" }) }) });
  assert.match(panel.textContent!, /It broke/);
  button("Try again").click();
  assert.equal(model.asked("retry").length, 1);
  model.show({ status: "empty", detail: null, same: 0 });
  assert.match(el.textContent!, /There is no asset called web here/);
  assert.ok(panel.hidden);
  close();
});

test("nothing of another session stays", () => {
  const { model, panel, close } = view();
  model.show({ epoch: 4, session: "s2", status: "loading", detail: null });
  assert.equal(panel.querySelectorAll("[role=group]").length, 0);
  close();
});

import { into } from "./support";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { KEYS, keyOf } from "../src/keys";

function pressed(key: string, more: object = {}, target = document.createElement("div")): string | undefined {
  into(target);
  let found: string | undefined;
  target.addEventListener("keydown", (event) => (found = keyOf(event)));
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
  return found;
}

function field(value = ""): HTMLInputElement {
  const input = document.createElement("input");
  input.className = "m-search";
  input.value = value;
  return input;
}

test("letters are shortcuts where nothing is typed", () => {
  assert.equal(pressed("c"), "c");
  assert.equal(pressed("C", { shiftKey: true }), "C");
  assert.equal(pressed("c", {}, field()), undefined);
});

test("where something is typed, Alt makes a letter a shortcut, whatever it would write", () => {
  assert.equal(pressed("π", { altKey: true, code: "KeyP" }, field("x")), "p");
  assert.equal(pressed("Ç", { altKey: true, shiftKey: true, code: "KeyC" }, field("x")), "C");
});

test("what belongs to the browser and to other keyboards is left alone", () => {
  assert.equal(pressed("c", { ctrlKey: true }), undefined);
  assert.equal(pressed("r", { metaKey: true }), undefined);
  assert.equal(pressed("ć", { ctrlKey: true, altKey: true, code: "KeyC" }, field()), undefined);
});

test("a bracket is a bracket however a keyboard makes it", () => {
  assert.equal(pressed("[", { ctrlKey: true, altKey: true, code: "Digit8" }), "[");
  assert.equal(pressed("]", { altKey: true }), "]");
  assert.equal(pressed("[", {}, field()), undefined);
});

test("a question mark asks for help unless it is part of what is typed", () => {
  assert.equal(pressed("?", { shiftKey: true }, field()), "?");
  assert.equal(pressed("?", { shiftKey: true }, field("why")), undefined);
});

test("every key of the help is in the documentation", () => {
  const page = readFileSync("../../docs/keyboard.md", "utf8");
  for (const { keys } of KEYS) {
    for (const key of keys.flatMap(([each]) => each.split(" "))) {
      const written = key
        .split("+")
        .map((part) => `<kbd>${part}</kbd>`)
        .join("+");
      assert.ok(page.includes(written), written);
    }
  }
});

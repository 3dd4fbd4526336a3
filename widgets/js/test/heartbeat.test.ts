import { FakeModel } from "./support";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Channel } from "../src/channel";
import { Heartbeat } from "../src/heartbeat";

let now = 0;
beforeEach(() => {
  now = 0;
  mock.timers.enable({ apis: ["setInterval"] });
});
afterEach(() => mock.timers.reset());

async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    now += 1000;
    mock.timers.tick(1000);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

test("silence of more than three seconds is told once, and an answer ends it", async () => {
  const model = new FakeModel({}, { ping: () => ({}) });
  const told: boolean[] = [];
  const leave = new Heartbeat(() => now).join(new Channel(model), (alive) => told.push(alive));
  await pass(5);
  assert.deepEqual(told, []);
  delete model.handlers["ping"];
  await pass(3);
  assert.deepEqual(told, []);
  await pass(3);
  assert.deepEqual(told, [false]);
  model.handlers["ping"] = () => ({});
  await pass(1);
  assert.deepEqual(told, [false, true]);
  leave();
});

test("a laptop that slept does not blame the kernel", async () => {
  const model = new FakeModel({}, { ping: () => ({}) });
  const told: boolean[] = [];
  const leave = new Heartbeat(() => now).join(new Channel(model), (alive) => told.push(alive));
  await pass(1);
  now += 3_600_000;
  await pass(2);
  assert.deepEqual(told, []);
  leave();
});

test("the widgets of one notebook share one ping a second", async () => {
  const model = new FakeModel({}, { ping: () => ({}) });
  const heartbeat = Heartbeat.of(model);
  assert.equal(Heartbeat.of(model), heartbeat);
  assert.notEqual(Heartbeat.of(new FakeModel()), heartbeat);
  const shared = new Heartbeat(() => now);
  const leave = [
    shared.join(new Channel(model), () => undefined),
    shared.join(new Channel(model), () => undefined),
  ];
  await pass(10);
  assert.equal(model.asked("ping").length, 10);
  for (const each of leave) each();
  await pass(3);
  assert.equal(model.asked("ping").length, 10);
});

test("a widget that is gone speaks for itself alone", async () => {
  const here = new FakeModel({}, { ping: () => ({}) });
  const gone = new FakeModel();
  const told: string[] = [];
  const heartbeat = new Heartbeat(() => now);
  heartbeat.join(new Channel(here), (alive) => told.push(`here ${alive}`));
  const leave = [1, 2, 3].map(() =>
    heartbeat.join(new Channel(gone), (alive) => told.push(`gone ${alive}`)),
  );
  await pass(30);
  assert.deepEqual(told, ["gone false", "gone false", "gone false"]);
  delete here.handlers["ping"];
  await pass(8);
  assert.deepEqual(told.slice(3), ["here false"]);
  here.handlers["ping"] = gone.handlers["ping"] = () => ({});
  await pass(8);
  assert.equal(told.length, 8);
  assert.ok(told.slice(4).every((each) => each.endsWith("true")));
  for (const each of leave) each();
});

import { FakeModel } from "./support";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Channel } from "../src/channel";
import { Heartbeat, type Silence } from "../src/heartbeat";
import type { HostKernel } from "../src/types";

const MISSED_S = 2.9; // a widget whose kernel has died says so within three seconds

let now = 0;
let hidden = false;
Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });

beforeEach(() => {
  now = 0;
  hidden = false;
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
});
afterEach(() => mock.timers.reset());

async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < Math.round(seconds * 10); i += 1) {
    now += 100;
    mock.timers.tick(100);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

const answering = (): FakeModel => new FakeModel({}, { ping: () => ({}) });

function joined(
  model: FakeModel,
  kernel?: () => HostKernel | null,
): { told: (Silence | null)[]; leave(): void; heartbeat: Heartbeat } {
  const told: (Silence | null)[] = [];
  const heartbeat = new Heartbeat(kernel, () => now);
  return { told, heartbeat, leave: heartbeat.join(new Channel(model), (silence) => told.push(silence)) };
}

test("silence is told once and within three seconds, and an answer ends it", async () => {
  const model = answering();
  const { told, leave } = joined(model);
  await pass(5);
  assert.deepEqual(told, []);
  delete model.handlers["ping"];
  await pass(MISSED_S);
  assert.deepEqual(told, ["silent"]);
  await pass(30);
  assert.deepEqual(told, ["silent"]);
  model.handlers["ping"] = () => ({});
  await pass(8);
  assert.deepEqual(told, ["silent", null]);
  leave();
});

test("a kernel that stays away is asked ever more seldom", async () => {
  const model = new FakeModel();
  const { leave } = joined(model);
  await pass(60);
  assert.ok(model.asked("ping").length < 14, String(model.asked("ping").length));
  leave();
});

test("a laptop that slept does not blame the kernel", async () => {
  const model = answering();
  const { told, leave } = joined(model);
  await pass(1);
  now += 3_600_000;
  await pass(2);
  assert.deepEqual(told, []);
  delete model.handlers["ping"];
  await pass(1);
  now += 3_600_000; // asleep with a question under way, whose answer is lost
  model.handlers["ping"] = () => ({});
  await pass(4);
  assert.deepEqual(told, []);
  leave();
});

test("a hidden page asks nothing, tells the kernel that it is hidden, and asks at once when it is seen", async () => {
  const model = answering();
  const { told, leave } = joined(model);
  await pass(3);
  hidden = true;
  document.dispatchEvent(new Event("visibilitychange"));
  const asked = model.asked("ping");
  assert.equal(asked.at(-1)!["visible"], false);
  assert.equal(asked.at(-1)!["page"], asked[0]!["page"]);
  await pass(30);
  assert.equal(model.asked("ping").length, asked.length);
  hidden = false;
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(model.asked("ping").at(-1)!["visible"], true);
  assert.deepEqual(told, []);
  leave();
});

test("the widgets of one notebook share two pings a second", async () => {
  const model = answering();
  assert.equal(Heartbeat.of(model), Heartbeat.of(model));
  assert.notEqual(Heartbeat.of(model), Heartbeat.of(new FakeModel()));
  const shared = new Heartbeat(undefined, () => now);
  const leave = [1, 2, 3, 4].map(() => shared.join(new Channel(model), () => undefined));
  await pass(10);
  const asked = model.asked("ping").length;
  assert.ok(asked > 15 && asked <= 20, String(asked));
  for (const each of leave) each();
  await pass(3);
  assert.equal(model.asked("ping").length, asked);
});

test("a widget that is gone speaks for itself alone", async () => {
  const here = answering();
  const gone = new FakeModel();
  const told: string[] = [];
  const heartbeat = new Heartbeat(undefined, () => now);
  const leave = [heartbeat.join(new Channel(here), (silence) => told.push(`here ${silence}`))];
  for (let i = 0; i < 3; i += 1) {
    leave.push(heartbeat.join(new Channel(gone), (silence) => told.push(`gone ${silence}`)));
  }
  await pass(30);
  assert.deepEqual(told, ["gone ended", "gone ended", "gone ended"]);
  delete here.handlers["ping"];
  await pass(8);
  assert.deepEqual(told.slice(3), ["here silent"]);
  here.handlers["ping"] = gone.handlers["ping"] = () => ({});
  await pass(10);
  assert.equal(told.length, 8);
  assert.ok(told.slice(4).every((each) => each.endsWith("null")));
  for (const each of leave) each();
});

test("what the host knows of the kernel is believed at once", async () => {
  const cases: [HostKernel | null, Silence][] = [
    [{ status: "dead" }, "ended"],
    [{ status: "restarting" }, "ended"],
    [{ status: "autorestarting" }, "ended"],
    [null, "ended"],
  ];
  for (const [after, silence] of cases) {
    let kernel: HostKernel | null = { status: "idle", connectionStatus: "connected" };
    const { told, heartbeat, leave } = joined(answering(), () => kernel);
    await pass(2);
    kernel = after;
    heartbeat.look();
    assert.deepEqual(told, [silence]);
    leave();
  }
});

test("a widget of a kernel that was restarted stays ended, though the new one is idle", async () => {
  const model = answering();
  let kernel: HostKernel = { status: "idle" };
  const { told, leave } = joined(model, () => kernel);
  await pass(2);
  kernel = { status: "restarting" };
  delete model.handlers["ping"];
  await pass(1);
  kernel = { status: "idle" };
  await pass(20);
  assert.deepEqual(told, ["ended"]);
  leave();
});

test("a host that refuses to send makes the widget an ended one", async () => {
  const model = answering();
  const { told, leave } = joined(model);
  await pass(2);
  model.send = () => {
    throw new Error("the comm is closed");
  };
  await pass(1);
  assert.deepEqual(told, ["ended"]);
  leave();
});

test("a busy kernel, a lost Jupyter and a notebook that was never run are told apart", async () => {
  const cases: [HostKernel | null, Silence][] = [
    [{ status: "busy", connectionStatus: "connected" }, "busy"],
    [{ status: "busy", connectionStatus: "connecting" }, "offline"],
    [{ status: "idle", connectionStatus: "connected" }, "silent"],
    [null, "unrun"],
  ];
  for (const [kernel, silence] of cases) {
    const { told, leave } = joined(new FakeModel(), () => kernel);
    await pass(MISSED_S);
    assert.deepEqual(told, [silence]);
    leave();
  }
});

import { FakeModel, failing, settle } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel, Refused, isAbort } from "../src/channel";

test("a request is answered by its own id, among the answers of other views", async () => {
  const model = new FakeModel();
  const [one, two] = [new Channel(model), new Channel(model)];
  const asked = [one.request("a"), two.request("b")];
  assert.notEqual(model.sent[0]!.id, model.sent[1]!.id);
  model.answer(model.sent[1]!.id, "for b");
  model.answer(model.sent[0]!.id, "for a");
  assert.deepEqual(await Promise.all(asked), ["for a", "for b"]);
});

test("a refusal carries the kernel's failure", async () => {
  const model = new FakeModel({}, { a: () => Promise.reject(failing({ message: "no" })) });
  await assert.rejects(
    new Channel(model).request("a"),
    (error) => error instanceof Refused && error.failure.message === "no",
  );
});

test("an answer of an earlier switch is no failure to show", async () => {
  const model = new FakeModel({}, { a: () => Promise.reject(failing({ reason: "SUPERSEDED" })) });
  await assert.rejects(new Channel(model).request("a"), isAbort);
});

test("giving up cancels the work in the kernel", async () => {
  const model = new FakeModel();
  const controller = new AbortController();
  const asked = new Channel(model).request("a", {}, controller.signal);
  controller.abort();
  await assert.rejects(asked, isAbort);
  assert.deepEqual(model.sent[1], { type: "cancel", id: model.sent[0]!.id });
});

test("a kernel that is gone makes no exception", async () => {
  const model = new FakeModel();
  model.send = () => {
    throw new Error("the comm is closed");
  };
  let over = false;
  new Channel(model).request("a").then(
    () => (over = true),
    () => (over = true),
  );
  await settle();
  assert.equal(over, false);
});

test("a closed channel lets go of the model", async () => {
  const model = new FakeModel();
  const channel = new Channel(model);
  const asked = channel.request("a");
  channel.close();
  await assert.rejects(asked, isAbort);
  model.answer(model.sent[0]!.id, "too late");
});

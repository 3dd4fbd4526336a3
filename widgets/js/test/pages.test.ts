import { settle, slice } from "./support";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pages } from "../src/pages";

/** Long enough for a scroll to have ended. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

function pages(total: number): { list: Pages<number>; asked: number[]; aborted: number[] } {
  const asked: number[] = [];
  const aborted: number[] = [];
  const list = new Pages<number>(
    async (offset, limit, signal) => {
      asked.push(offset);
      signal.addEventListener("abort", () => aborted.push(offset));
      await new Promise((resolve) => setTimeout(resolve, 0));
      return slice((index) => index, total, { offset, limit });
    },
    () => undefined,
  );
  return { list, asked, aborted };
}

test("what is looked at is fetched once, and then its neighbours", async () => {
  const { list, asked } = pages(1000);
  list.want(450, 460);
  list.want(451, 461);
  await pause();
  assert.equal(list.total, 1000);
  assert.deepEqual(asked, [400, 300, 500]);
  assert.equal(list.at(455), 455);
  assert.equal(list.at(999), undefined);
});

test("a fast scroll asks for where it began and where it came to, not for all between", async () => {
  const { list, asked } = pages(1_000_000);
  for (let row = 0; row < 900_000; row += 10_000) list.want(row, row + 9);
  await pause();
  assert.deepEqual(asked, [0, 890_000]);
  assert.equal(list.at(890_005), 890_005);
});

test("pages that are scrolled past are given up", async () => {
  const aborted: number[] = [];
  const list = new Pages<number>(
    (offset, _, signal) => new Promise(() => signal.addEventListener("abort", () => aborted.push(offset))),
    () => undefined,
  );
  list.want(0, 9);
  list.want(500_000, 500_009);
  await pause();
  assert.deepEqual(aborted, [0]);
});

test("nothing beyond the end is asked for", async () => {
  const { list, asked } = pages(150);
  list.want(0, 9);
  await settle();
  list.want(140, 149);
  await settle();
  assert.deepEqual([...new Set(asked)].sort(), [0, 100]);
});

test("stale rows stay until the fresh ones are here", async () => {
  const { list, asked } = pages(50);
  list.want(0, 9);
  await settle();
  list.stale();
  assert.equal(list.at(3), 3);
  list.want(0, 9);
  await settle();
  assert.equal(asked.filter((offset) => offset === 0).length, 2);
});

test("an answer of a list that was let go of is dropped", async () => {
  const { list } = pages(50);
  list.want(0, 9);
  list.clear();
  await settle();
  assert.equal(list.total, undefined);
});

test("after a failure nothing is asked until somebody tries again", async () => {
  let broken = true;
  let asked = 0;
  const list = new Pages<number>(
    async (offset, limit) => {
      asked += 1;
      if (broken) throw new Error("away");
      return slice((index) => index, 10, { offset, limit });
    },
    () => undefined,
  );
  list.want(0, 9);
  await settle();
  const before = asked;
  list.want(0, 9);
  assert.equal(asked, before);
  broken = false;
  list.retry();
  list.want(0, 9);
  await settle();
  assert.equal(list.at(9), 9);
  assert.equal(list.error, undefined);
});

test("only so many pages are kept", async () => {
  const { list } = pages(1_000_000);
  for (let page = 0; page < 100; page += 1) {
    list.want(page * 100, page * 100 + 9);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await settle();
  assert.ok([...list.loaded()].length <= 62 * 100);
  assert.equal(list.at(9_905), 9_905);
});

test("a list that is only counted so far grows as it is read, and its end is believed", async () => {
  const list = new Pages<number>(
    async (offset, limit) => ({
      items: Array.from({ length: Math.min(limit, 250 - offset) }, (_, index) => offset + index),
      total: offset + limit < 250 ? 120 : 250,
      at_least: offset + limit < 250,
    }),
    () => undefined,
  );
  await list.reach(0);
  assert.deepEqual([list.total, list.atLeast], [120, true]);
  await list.reach(100);
  assert.deepEqual([list.total, list.atLeast], [201, true]);
  await list.reach(200);
  assert.deepEqual([list.total, list.atLeast], [250, false]);
  await list.reach(0);
  assert.deepEqual([list.total, list.atLeast], [250, false], "an older page knows less");
});

test("what was given up may be asked for again at once", async () => {
  const { list, asked } = pages(50);
  list.want(0, 9);
  list.giveUp();
  list.want(0, 9);
  await settle();
  assert.deepEqual(asked, [0, 0]);
  assert.equal(list.at(3), 3);
});

import { describe, expect, it } from 'vitest';
import { addTurn, axisMax, formatFigure, formatMs, medianTotal, readTurn, stageLabel, stageLabels, waits, type Turn } from './turns';

const turn = (n: number, totalMs = 100): Turn => ({ call: 'c', turn: n, status: 'completed', reason: '', input: 'speech', user: '', heard: '', stages: [], totalMs });

describe('readTurn', () => {
  it('reads stages and total', () => {
    const timeline = { stages: [{ name: 'endpointing', ms: 200 }, { name: 'stt', ms: 12.5 }], total_ms: 212.5 };
    expect(readTurn({ type: 'parley.turn', turn: 3, status: 'completed', input: 'speech', user: 'hi', heard: 'Hello.', timeline }, 'c')).toEqual({
      ...turn(3, 212.5),
      user: 'hi',
      heard: 'Hello.',
      stages: timeline.stages,
    });
  });

  it.each([
    ['no timeline', null, [], 0],
    ['no total', { stages: [{ name: 'a', ms: 1 }, { name: 'b', ms: 2 }] }, ['a', 'b'], 3],
    ['odd stages', { stages: [{ name: 'a', ms: -1 }, { name: '', ms: 1 }, { ms: 1 }, 'x', null, { name: 'b', ms: 2 }], total_ms: 2 }, ['b'], 2],
  ])('copes with %s', (_, timeline, names, total) => {
    const read = readTurn({ type: 'parley.turn', turn: 1, timeline }, 'c');
    expect(read?.stages.map((s) => s.name)).toEqual(names);
    expect(read?.totalMs).toBe(total);
  });

  it('wants a number', () => expect(readTurn({ type: 'parley.turn', turn: '1' }, 'c')).toBeUndefined());
});

it('addTurn replaces, sorts and keeps eight', () => {
  let turns: Turn[] = [];
  for (const n of [2, 1, 3, 4, 5, 6, 7, 8, 9]) turns = addTurn(turns, turn(n));
  expect(turns.map((t) => t.turn)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  expect(addTurn(turns, turn(9, 7)).at(-1)?.totalMs).toBe(7);
  expect(addTurn(turns, turn(9, 7))).toHaveLength(8);
});

it('a new call counts from one again, and takes nothing from the old', () => {
  const next = { ...turn(1, 70), call: 'd_2' };
  const turns = addTurn([turn(1, 300), turn(2, 400)], next);
  expect(turns.map((t) => [t.call, t.turn])).toEqual([['c', 1], ['c', 2], ['d_2', 1]]);
  const lines = ['c_u1', 'c_a1', 'c_u2', 'd_2_a9', 'd_2_u1', 'd_2_a1', 'd_2_u2', 'd_2_a2'].map((name) => ({ id: `item_${name}`, role: /_u\d$/.test(name) ? 'user' : 'assistant' }));
  expect([...waits(lines, turns)]).toEqual([['item_c_a1', 300], ['item_d_2_a1', 70]]);
});

it('medianTotal counts answered turns only', () => {
  expect(medianTotal([])).toBeUndefined();
  expect(medianTotal([turn(1, 0)])).toBeUndefined();
  expect(medianTotal([turn(1, 300), turn(2, 0), turn(3, 100)])).toBe(200);
  expect(medianTotal([turn(1, 300), turn(2, 500), turn(3, 100)])).toBe(300);
});

it.each([
  [0, 100],
  [100, 100],
  [101, 150],
  [315, 400],
  [580, 600],
  [1001, 1500],
  [9999, 10_000],
])('an axis for %i ms ends at %i ms', (most, end) => expect(axisMax([turn(1, most)])).toBe(end));

it.each([
  [0, '0 ms'],
  [0.44, '0.4 ms'],
  [12.4, '12 ms'],
  [1240, '1.24 s'],
])('%d ms reads %s', (ms, words) => expect(formatMs(ms)).toBe(words));

it('a figure has no unit', () => expect([0, 0.44, 12.4, 1240].map(formatFigure)).toEqual(['0', '0.4', '12', '1240']));

it('every stage has a name for people, and an unknown one keeps its own', () => {
  expect(stageLabels.map((s) => s.name)).toEqual(['endpointing', 'stt', 'llm_first_token', 'llm_first_clause', 'tts_first_audio', 'send', 'network']);
  expect(stageLabel('stt')).toBe('Transcript');
  expect(stageLabel('new_stage')).toBe('new_stage');
});

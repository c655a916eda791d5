import { describe, expect, it } from 'vitest';
import type { WireEvent } from '../wire/protocol';
import { addNote, atRest, callLost, empty, plainText, reduce, talkStarted, talkStopped, textSent, voice, type Conversation } from './conversation';

const play = (events: WireEvent[], from: Conversation = empty): Conversation => events.reduce(reduce, from);
const last = (c: Conversation) => c.items.at(-1);

const asked = (n: number, words: string): WireEvent[] => [
  { type: 'input_audio_buffer.speech_started', item_id: `u${n}` },
  { type: 'input_audio_buffer.speech_stopped', item_id: `u${n}` },
  { type: 'input_audio_buffer.committed', item_id: `u${n}` },
  { type: 'conversation.item.added', item: { id: `u${n}`, type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: null }] } },
  { type: 'conversation.item.done', item: { id: `u${n}`, type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: null }] } },
  { type: 'conversation.item.input_audio_transcription.completed', item_id: `u${n}`, transcript: words },
];
const reply = { response_id: 'r1', item_id: 'a1' };
const answering = (words: string): WireEvent[] => [
  { type: 'response.created', response: { id: 'r1' } },
  { type: 'response.output_item.added', response_id: 'r1', item: { id: 'a1', type: 'message', role: 'assistant' } },
  { type: 'conversation.item.added', item: { id: 'a1', type: 'message', role: 'assistant', content: [] } },
  { type: 'output_audio_buffer.started', response_id: 'r1' },
  { type: 'response.output_audio_transcript.delta', ...reply, delta: words },
];
const done = (status: string): WireEvent => ({ type: 'response.done', response: { id: 'r1', status } });

describe('whose turn it is', () => {
  it('follows a voice turn', () => {
    const states: string[] = [];
    const events: WireEvent[] = [
      ...asked(1, 'hi'),
      ...answering('Hello.'),
      { type: 'response.output_audio_transcript.done', ...reply, transcript: 'Hello.' },
      done('completed'),
      { type: 'output_audio_buffer.stopped', response_id: 'r1' },
    ];
    let c = empty;
    for (const event of events) {
      c = reduce(c, event);
      if (states.at(-1) !== voice(c)) states.push(voice(c));
    }
    expect(states).toEqual(['hearing', 'thinking', 'speaking', 'listening']);
  });

  it('hears an interruption before the reply has stopped', () => {
    const c = play([...answering('A long story.'), { type: 'input_audio_buffer.speech_started', item_id: 'u2' }]);
    expect(voice(c)).toBe('hearing');
    expect(voice(reduce(c, { type: 'input_audio_buffer.cleared' }))).toBe('speaking');
  });

  it('does not think about what was thrown away', () => {
    const c = play([{ type: 'input_audio_buffer.speech_started', item_id: 'u1' }, { type: 'input_audio_buffer.speech_stopped', item_id: 'u1' }]);
    expect(voice(c)).toBe('thinking');
    for (const event of [{ type: 'input_audio_buffer.cleared' }, { type: 'parley.turn', turn: 1, status: 'cancelled', user: '' }]) {
      expect(voice(reduce(c, event))).toBe('listening');
      expect(reduce(c, event).items).toEqual([]);
    }
  });

  it('follows the talk button and the keyboard', () => {
    expect(voice(talkStarted(empty))).toBe('hearing');
    expect(voice(talkStopped(talkStarted(empty)))).toBe('thinking');
    expect(voice(talkStopped(empty))).toBe('listening');
    expect(voice(textSent(empty))).toBe('thinking');
  });

  it('comes to rest when the call ends', () => {
    const c = atRest(play([...asked(1, 'hi'), ...answering('Hel'), { type: 'input_audio_buffer.speech_started', item_id: 'u2' }]));
    expect(voice(c)).toBe('listening');
    expect(c.items.map((i) => [i.id, i.final])).toEqual([['u1', true], ['a1', true]]);
  });
});

describe('the caller’s words', () => {
  it('are partial until the final transcript', () => {
    const partial = (transcript: string): WireEvent => ({ type: 'parley.transcript.partial', item_id: 'u1', transcript });
    let c = play([{ type: 'input_audio_buffer.speech_started', item_id: 'u1' }, partial('what a'), partial('what time')]);
    expect(last(c)).toMatchObject({ role: 'user', text: 'what time', final: false });
    c = play([{ type: 'conversation.item.input_audio_transcription.completed', item_id: 'u1', transcript: 'what time is it' }, partial('late')], c);
    expect(c.items).toHaveLength(1);
    expect(last(c)).toMatchObject({ text: 'what time is it', final: true });
  });

  it('vanish when there were none, and stay when they were not understood', () => {
    expect(play([...asked(1, '')]).items).toEqual([]);
    const c = play([{ type: 'input_audio_buffer.speech_started', item_id: 'u1' }, { type: 'conversation.item.input_audio_transcription.failed', item_id: 'u1', error: {} }]);
    expect(last(c)).toMatchObject({ failed: true, final: true, text: '(not understood)' });
  });

  it('may be written', () => {
    const item = { id: 'u1', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] };
    const c = play([{ type: 'conversation.item.added', item }, { type: 'conversation.item.done', item }]);
    expect(c.items).toHaveLength(1);
    expect(last(c)).toMatchObject({ text: 'hello', final: true });
  });
});

describe('the reply', () => {
  it('grows, is marked as it is heard, and is whole at the end', () => {
    let c = play([...answering('One two'), { type: 'response.output_audio_transcript.delta', ...reply, delta: ' three.' }]);
    expect(last(c)).toMatchObject({ text: 'One two three.', heard: 0, final: false });
    c = reduce(c, { type: 'parley.heard', ...reply, transcript: 'One two' });
    expect(last(c)?.heard).toBe(7);
    c = play([{ type: 'response.output_audio_transcript.done', ...reply, transcript: 'One two three.' }, done('completed'), { type: 'output_audio_buffer.stopped', response_id: 'r1' }], c);
    expect(last(c)).toMatchObject({ final: true, heard: undefined });
    expect(last(reduce(c, { type: 'parley.heard', ...reply, transcript: 'One' }))?.heard).toBeUndefined();
  });

  it('is cut where it was heard, as the turn says in the end', () => {
    const c = play([
      ...answering('One two three four.'),
      { type: 'parley.heard', ...reply, transcript: 'One' },
      done('cancelled'),
      { type: 'output_audio_buffer.cleared', response_id: 'r1' },
      { type: 'conversation.item.truncated', item_id: 'a1', audio_end_ms: 700 },
      { type: 'parley.turn', turn: 1, status: 'cancelled', reason: 'turn_detected', user: 'hi', heard: 'One two' },
    ]);
    expect(last(c)).toMatchObject({ interrupted: true, heard: 7, final: true });
    expect(voice(c)).toBe('listening');
    expect(plainText(c)).toBe('Parley: One two—');
  });

  it('that is only written is shown whole', () => {
    const c = play([{ type: 'response.output_text.delta', ...reply, delta: 'Hi' }, { type: 'response.output_text.done', ...reply, text: 'Hi.' }, done('cancelled')]);
    expect(last(c)).toMatchObject({ text: 'Hi.', heard: undefined });
  });

  it('that failed says so, and an empty one leaves no line', () => {
    expect(last(play([...answering('Half'), done('failed')]))).toMatchObject({ failed: true, final: true });
    const c = play([{ type: 'response.created', response: { id: 'r1' } }, { type: 'response.output_item.added', response_id: 'r1', item: { id: 'a1' } }, done('failed')]);
    expect(c.items).toEqual([]);
  });
});

describe('after a lost connection', () => {
  it('the replayed history changes nothing', () => {
    const c = play([...asked(1, 'hi'), ...answering('Hello.'), { type: 'response.output_audio_transcript.done', ...reply, transcript: 'Hello.' }, { type: 'output_audio_buffer.stopped', response_id: 'r1' }]);
    const history = [
      { id: 'u1', type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: 'hi' }] },
      { id: 'a1', type: 'message', role: 'assistant', content: [{ type: 'output_audio', transcript: 'Hello.' }] },
    ].flatMap((item) => [{ type: 'conversation.item.added', item }, { type: 'conversation.item.done', item }]);
    const again = play(history, c);
    expect(again.items.map((i) => [i.id, i.text, i.final])).toEqual([['u1', 'hi', true], ['a1', 'Hello.', true]]);
    expect(play(history).items.map((i) => [i.id, i.text, i.final])).toEqual([['u1', 'hi', true], ['a1', 'Hello.', true]]);
  });
});

describe('after a lost call', () => {
  it('a reply that was spoken ends where it was heard, one that was over stays whole', () => {
    const spoken: WireEvent[] = [...answering('One two, three.'), { type: 'parley.heard', ...reply, transcript: 'One two,' }];
    const made: WireEvent = { type: 'response.output_audio_transcript.done', ...reply, transcript: 'One two, three.' };
    for (const events of [spoken, [...spoken, made]]) {
      const c = callLost(play(events));
      expect(c.items[0]).toMatchObject({ interrupted: true, final: true });
      expect(plainText(c)).toBe('Parley: One two—\n·: The old conversation could not be brought back; this is a new one.');
    }
    expect(callLost(play([...spoken, made, { type: 'output_audio_buffer.stopped', response_id: 'r1' }])).items[0]).toMatchObject({ interrupted: false, heard: undefined });
  });

  it('timers that had not rung are gone', () => {
    const set: WireEvent = { type: 'parley.timer', state: 'set', label: '5 second timer', due: '2026-01-02T20:43:00Z' };
    let c = reduce(empty, set);
    expect(last(c)?.text).toMatch(/^5 second timer set, rings at \d.*\d/);
    expect(last(callLost(c))?.text).toContain('Timers of the old call are gone.');
    c = reduce(c, { type: 'parley.timer', state: 'rang', label: '5 second timer' });
    expect(last(c)?.text).toBe('5 second timer: time is up.');
    expect(last(callLost(c))?.text).not.toContain('Timers');
  });
});

it('a replayed reply may have grown, and one that was cut is marked', () => {
  const item = (status: string, transcript: string): Record<string, unknown> => ({ id: 'a1', type: 'message', role: 'assistant', status, content: [{ type: 'output_audio', transcript }] });
  const grown = play([...answering('One'), { type: 'conversation.item.added', item: item('in_progress', 'One two') }]);
  expect(last(grown)?.text).toBe('One two');
  const cut = play([{ type: 'conversation.item.added', item: item('incomplete', 'One') }, { type: 'conversation.item.done', item: item('incomplete', 'One') }]);
  expect(last(cut)).toMatchObject({ text: 'One', interrupted: true, final: true });
});

describe('everything else', () => {
  it('notes failures, timers and refusals', () => {
    const c = play([
      { type: 'parley.notice', stage: 'llm', kind: 'stalled', message: 'The model is silent.' },
      { type: 'parley.timer', state: 'rang', label: 'tea' },
      { type: 'parley.timer', state: 'set', due: 'no date' },
      { type: 'error', error: { code: 'x', message: 'Not supported yet.' } },
      { type: 'error', error: { code: 'response_cancel_not_active', message: 'nothing to cancel' } },
    ]);
    expect(c.items.map((i) => [i.text, i.failed])).toEqual([
      ['The model is silent.', true],
      ['Tea timer: time is up.', false],
      ['Timer set.', false],
      ['Not supported yet.', true],
    ]);
  });

  it('keeps turns, deletes items, and forgets the oldest', () => {
    let c = play([{ type: 'parley.turn', turn: 1, status: 'completed', user: 'x', timeline: { stages: [], total_ms: 5 } }]);
    expect(c.turns).toHaveLength(1);
    c = play([...asked(1, 'hi'), { type: 'conversation.item.deleted', item_id: 'u1' }], c);
    expect(c.items).toEqual([]);
    for (let i = 0; i < 205; i++) c = addNote(c, `${i}`);
    expect(c.items).toHaveLength(200);
    expect(c.items[0]?.text).toBe('5');
  });

  it.each([
    [{ type: 'surprise' }],
    [{ type: 'toString' }],
    [{ type: 'conversation.item.added' }],
    [{ type: 'conversation.item.added', item: { id: 's', role: 'system', content: [{ text: 'secret' }] } }],
    [{ type: 'conversation.item.added', item: { id: 'f', type: 'function_call' } }],
    [{ type: 'parley.transcript.partial', transcript: 'no id' }],
  ])('ignores %o', (event) => expect(reduce(empty, event)).toEqual(empty));
});

import { describe, expect, it } from 'vitest';
import { encode, parseEvent, parseMessage } from './protocol';

const message = (fields: object): string => JSON.stringify({ v: 1, ...fields });

describe('parseMessage', () => {
  it.each([
    ['not JSON', '{'],
    ['no object', '[]'],
    ['null', 'null'],
    ['another version', '{"v":2,"type":"bye"}'],
    ['no version', '{"type":"bye"}'],
    ['an unknown type', message({ type: 'surprise' })],
    ['an event without a type', message({ type: 'event', event: { event_id: 'e' } })],
    ['an event that is none', message({ type: 'event', event: 'x' })],
  ])('refuses %s', (_, json) => expect(parseMessage(json)).toBeUndefined());

  it('reads joined, keeping only usable ICE servers', () => {
    const json = message({ type: 'joined', call: 'c', resume: 't', resumed: true, ice_servers: [{ urls: 'stun:a' }, 7, {}, { urls: ['turn:b'], username: 'u' }] });
    expect(parseMessage(json)).toEqual({
      type: 'joined',
      call: 'c',
      resume: 't',
      resumed: true,
      resumeWindowMs: 30_000,
      iceServers: [{ urls: 'stun:a' }, { urls: ['turn:b'], username: 'u' }],
    });
  });

  it('reads candidates and their end', () => {
    expect(parseMessage(message({ type: 'candidate', candidate: { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 } }))).toEqual({
      type: 'candidate',
      candidate: { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 },
    });
    expect(parseMessage(message({ type: 'candidate', candidate: null }))).toEqual({ type: 'candidate', candidate: null });
    expect(parseMessage(message({ type: 'candidate', candidate: { candidate: 'c', sdpMid: 3 } }))).toMatchObject({ candidate: { sdpMid: null, sdpMLineIndex: null } });
  });

  it('reads the rest', () => {
    expect(parseMessage(message({ type: 'answer', sdp: 's' }))).toEqual({ type: 'answer', sdp: 's' });
    expect(parseMessage(message({ type: 'error', code: 'busy', message: 'm', fatal: true }))).toEqual({ type: 'error', code: 'busy', message: 'm', fatal: true });
    expect(parseMessage(message({ type: 'bye' }))).toEqual({ type: 'bye', reason: '' });
    expect(parseMessage(message({ type: 'pong', t: 5 }))).toEqual({ type: 'pong', t: 5 });
  });
});

it('parseEvent keeps every field', () => {
  expect(parseEvent('{"type":"a","event_id":"e","x":1}')).toEqual({ type: 'a', event_id: 'e', x: 1 });
  expect(parseEvent('{"x":1}')).toBeUndefined();
});

it('encode adds the version', () => {
  expect(JSON.parse(encode({ type: 'bye' }))).toEqual({ v: 1, type: 'bye' });
});

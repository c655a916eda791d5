import { describe, expect, it } from 'vitest';
import { addEntry, filterEntries, type Entry } from './eventlog';
import { keyFromHash, loadKey, saveKey } from './key';
import { endTrouble, goodbye, micTrouble } from './problems';
import { defaults, loadSettings, saveSettings } from './settings';
import { status, statusWords, talkWords } from './status';
import { spaceTalks } from './talkkey';

class Memory {
  readonly #slots = new Map<string, string>();
  getItem(key: string): string | null {
    return this.#slots.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.#slots.set(key, value);
  }
}

const forbidden = {
  getItem: (): string => {
    throw new Error('forbidden');
  },
  setItem: (): void => {
    throw new Error('forbidden');
  },
};

describe('settings', () => {
  it('come back as they were kept', () => {
    const memory = new Memory();
    expect(loadSettings(memory)).toEqual(defaults);
    const mine = { ...defaults, mode: 'hands-free' as const, theme: 'dark' as const, microphone: 'a', volume: 0.4, listenOnly: true };
    saveSettings(memory, mine);
    expect(loadSettings(memory)).toEqual(mine);
  });

  it.each(['{', 'null', '[]', '3', '{"mode":"shout","theme":7,"volume":9,"microphone":1,"listenOnly":"yes"}'])('fall back from %s', (kept) => {
    const memory = new Memory();
    memory.setItem('parley.settings.1', kept);
    expect(loadSettings(memory)).toEqual(defaults);
  });

  it('do without storage', () => {
    expect(loadSettings(undefined)).toEqual(defaults);
    expect(loadSettings(forbidden)).toEqual(defaults);
    expect(() => saveSettings(forbidden, defaults)).not.toThrow();
  });
});

describe('the key', () => {
  it.each([
    ['#key=abc', 'abc'],
    ['#key=a%2Fb&x=1', 'a/b'],
    ['#other', ''],
    ['', ''],
  ])('of %j is %j', (hash, key) => expect(keyFromHash(hash)).toBe(key));

  it('is kept where that is allowed', () => {
    const memory = new Memory();
    saveKey(memory, 'k');
    expect(loadKey(memory)).toBe('k');
    saveKey(forbidden, 'k');
    expect(loadKey(forbidden)).toBe('');
    expect(loadKey(undefined)).toBe('');
  });
});

describe('the event log', () => {
  const entry = (type: string, direction: 'in' | 'out' = 'in'): Omit<Entry, 'id'> => ({ at: 0, direction, via: 'channel', event: { type, words: 'Hello' } });

  it('numbers entries and forgets the oldest', () => {
    let entries: Entry[] = [];
    for (let i = 0; i < 310; i++) entries = addEntry(entries, entry('a'));
    expect([entries.length, entries[0]?.id, entries.at(-1)?.id]).toEqual([300, 11, 310]);
  });

  it('filters by every word, and leaves deltas out', () => {
    const entries = [entry('response.done'), entry('response.output_text.delta'), entry('session.update', 'out'), entry('parley.heard')].reduce(addEntry, [] as Entry[]);
    const types = (query: string, deltas = false): string[] => filterEntries(entries, query, deltas).map((e) => e.event.type);
    expect(types('')).toEqual(['response.done', 'session.update']);
    expect(types('', true)).toHaveLength(4);
    expect(types('out hello')).toEqual(['session.update']);
    expect(types('nothing')).toEqual([]);
  });
});

describe('the state in words', () => {
  const about = { mode: 'hands-free' as const, micOn: true, micAsking: false };

  it('is the call’s, or whose turn it is', () => {
    expect(status('live', 'thinking')).toBe('thinking');
    expect(status('reconnecting', 'thinking')).toBe('reconnecting');
  });

  it('says what to do', () => {
    expect(statusWords('listening', about)).toBe('Listening');
    expect(statusWords('listening', { ...about, mode: 'push-to-talk' })).toBe('Hold to talk');
    expect(statusWords('listening', { ...about, micOn: false })).toBe('Write, and hear the answer');
    expect(statusWords('connecting', { ...about, micAsking: true })).toContain('microphone');
    expect(statusWords('reconnecting', about)).toBe('Connection lost, retrying');
  });

  it.each([
    [{}, 'Hold to talk', true],
    [{ mic: 'off' as const }, 'Hold to talk', true],
    [{ talking: true }, 'Release to send', true],
    [{ mic: 'asking' as const, opening: true }, 'Opening the microphone…', true],
    [{ muted: true }, 'Muted', false],
    [{ mic: 'missing' as const }, 'No microphone', false],
    [{ mic: 'insecure' as const }, 'No microphone', false],
    [{ mic: 'denied' as const }, 'Microphone not allowed', false],
    [{ mic: 'busy' as const }, 'Microphone in use', false],
  ])('the talk button of %o says %s', (state, words, free) => {
    expect(talkWords({ talking: false, opening: false, muted: false, mic: 'on', ...state })).toEqual({ words, free });
  });

  it('has words for every state', () => {
    const all = (['idle', 'connecting', 'listening', 'hearing', 'thinking', 'speaking', 'reconnecting', 'ended', 'error'] as const).map((s) => statusWords(s, about));
    expect(new Set(all).size).toBe(9);
  });
});

describe('problems', () => {
  it.each([
    [{ why: 'unreachable' } as const, 'unreachable', 'call'],
    [{ why: 'refused', code: 'unauthorized', message: '' } as const, 'key', 'key'],
    [{ why: 'refused', code: 'invalid_api_key', message: '' } as const, 'key', 'key'],
    [{ why: 'refused', code: 'server_busy', message: '' } as const, 'busy', 'call'],
    [{ why: 'refused', code: 'bad_version', message: 'Reload the page.' } as const, 'bad_version', 'call'],
    [{ why: 'refused', code: '', message: '' } as const, 'refused', 'call'],
  ])('%o is %s, and offers %s', (end, code, remedy) => {
    const trouble = endTrouble(end);
    expect(trouble).toMatchObject({ code, remedy });
    expect(trouble?.text).not.toBe('');
  });

  it('an ordinary goodbye is none', () => {
    expect(endTrouble({ why: 'bye', reason: 'hang_up' })).toBeUndefined();
    expect(goodbye('hang_up')).toBe('');
    expect(goodbye('replaced')).toContain('another window');
    expect(goodbye('max_duration')).toBe('Reason: max duration.');
  });

  it('every microphone problem says what to do', () => {
    for (const p of ['denied', 'missing', 'busy', 'insecure'] as const) expect(micTrouble(p).text).toContain('hear the answers');
  });
});

describe('the space bar', () => {
  const at = { tag: 'BODY', type: '', editable: false, byPointer: false, isTalkButton: false };
  it.each([
    ['on the page', at, true],
    ['on the talk button', { ...at, tag: 'BUTTON', isTalkButton: true }, true],
    ['while writing', { ...at, tag: 'INPUT', type: 'text' }, false],
    ['while writing, after a click', { ...at, tag: 'INPUT', type: 'text', byPointer: true }, false],
    ['while searching', { ...at, tag: 'INPUT', type: 'search', byPointer: true }, false],
    ['in a text area', { ...at, tag: 'TEXTAREA', byPointer: true }, false],
    ['in an editable element', { ...at, tag: 'DIV', editable: true }, false],
    ['in a list of choices', { ...at, tag: 'SELECT', byPointer: true }, false],
    ['on a button reached with Tab', { ...at, tag: 'BUTTON' }, false],
    ['on a button that was clicked', { ...at, tag: 'BUTTON', byPointer: true }, true],
    ['on a check box reached with Tab', { ...at, tag: 'INPUT', type: 'checkbox' }, false],
    ['in the transcript', { ...at, tag: 'DIV' }, true],
  ])('%s', (_, target, talks) => expect(spaceTalks(target)).toBe(talks));
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Microphone, type MicState } from '../audio/microphone';
import type { Sound } from '../audio/sound';
import { defaults, type Settings } from '../state/settings';
import type { ConfigAnswer } from '../wire/config';
import type { ConnectionOptions } from '../wire/connection';
import type { WireEvent } from '../wire/protocol';
import { Controller } from './controller';
import { createStore, type Store } from './store';
import { WakeLock } from './wakelock';

type Hooks = Omit<ConnectionOptions, 'socket' | 'peer' | 'random'>;

interface Setup {
  store: Store;
  controller: Controller;
  hooks: () => Hooks;
  sent: WireEvent[];
  line: { up: boolean; closed: number; tracks: unknown[] };
  sound: { speaker: { hush: ReturnType<typeof vi.fn>; unhush: ReturnType<typeof vi.fn> }; heard: (ms: number) => void; stopped: number };
  key: { value: string };
}

function setUp(options: { settings?: Partial<Settings>; mic?: () => Promise<MediaStream>; config?: ConfigAnswer[]; noWebRTC?: boolean } = {}): Setup {
  const store = createStore({ ...defaults, ...options.settings });
  const sent: WireEvent[] = [];
  const line = { up: true, closed: 0, tracks: [] as unknown[] };
  const calls: Hooks[] = [];
  const speaker = { hush: vi.fn(), unhush: vi.fn(), setVolume: vi.fn(), choose: vi.fn(async (id: string) => id !== 'gone') };
  const s = { speaker, heard: (ms: number): void => void ms, stopped: 0 };
  const sound = { speaker, start: vi.fn(), stop: () => (s.stopped += 1), resume: vi.fn(), micStream: vi.fn(), remoteStream: vi.fn(), firstAudible: (found: (ms: number) => void) => (s.heard = found) };
  const track = { enabled: true, stop: vi.fn(), onended: null };
  const stream = { getTracks: () => [track], getAudioTracks: () => [track] } as unknown as MediaStream;
  const key = { value: '' };
  const answers = options.config ?? [];
  const controller = new Controller({
    store,
    sound: sound as unknown as Sound,
    microphone: (on: { state: (state: MicState) => void; track: (t: MediaStreamTrack | null) => void }) => new Microphone({ getUserMedia: options.mic ?? (async () => stream) }, on),
    wakeLock: new WakeLock(undefined),
    connect: options.noWebRTC
      ? undefined
      : (hooks) => {
          calls.push(hooks);
          return {
            start: vi.fn(),
            close: () => (line.closed += 1),
            send: (event) => {
              if (line.up) sent.push(event);
              return line.up;
            },
            setTrack: async (t) => void line.tracks.push(t),
            networkBack: vi.fn(),
            peer: undefined,
          };
        },
    fetchConfig: async () => answers.shift() ?? { kind: 'unreachable' },
    key: { load: () => key.value, save: (k) => (key.value = k) },
    saveSettings: vi.fn(),
  });
  return { store, controller, hooks: () => calls.at(-1)!, sent, line, sound: s, key };
}

/** A call that is up, with its microphone on. */
async function live(options: Parameters<typeof setUp>[0] = {}): Promise<Setup> {
  const s = setUp(options);
  s.controller.toggleCall();
  s.hooks().onJoined({ type: 'joined', call: 'c', resume: 't', resumed: false, resumeWindowMs: 30_000, iceServers: [] }, false);
  s.hooks().onState({ phase: 'live', audio: true });
  await vi.advanceTimersByTimeAsync(0);
  return s;
}

const types = (s: Setup): string[] => s.sent.map((e) => e.type);

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('calling', () => {
  it('connects, opens the microphone and goes live', async () => {
    const s = await live();
    expect(s.store.status.value).toBe('listening');
    expect(s.store.mic.value).toBe('on');
    expect(s.line.tracks).toHaveLength(1);
    s.controller.toggleCall();
    expect([s.store.status.value, s.line.closed, s.sound.stopped]).toEqual(['ended', 1, 1]);
    expect([s.store.mic.value, s.controller.inCall]).toEqual(['off', false]);
  });

  it('tells the server the mode and the key', () => {
    const s = setUp({ settings: { mode: 'hands-free' } });
    s.key.value = 'secret';
    s.store.config.value = { version: '', engines: { stt: '', llm: '', tts: '' }, turnDetection: { type: 'server_vad', threshold: 0.4 } };
    s.controller.toggleCall();
    expect(s.hooks().join()).toEqual({ key: 'secret', client: 'parley-web/1', session: { type: 'realtime', audio: { input: { turn_detection: { type: 'server_vad', threshold: 0.4 } } } } });
    s.controller.setMode('push-to-talk');
    expect(s.hooks().join().session).toEqual({ type: 'realtime', audio: { input: { turn_detection: null } } });
    expect(s.sent[0]).toMatchObject({ type: 'session.update', session: { audio: { input: { turn_detection: null } } } });
  });

  it('goes on without a microphone, and says why', async () => {
    const s = await live({ mic: async () => Promise.reject(Object.assign(new Error(), { name: 'NotAllowedError' })) });
    expect(s.store.card.value?.code).toBe('mic_denied');
    expect(s.store.status.value).toBe('listening');
    s.controller.dismiss();
    expect(s.store.card.value).toBeUndefined();
  });

  it('does not ask for the microphone of somebody who only listens', async () => {
    const s = await live({ settings: { listenOnly: true } });
    expect(s.store.mic.value).toBe('off');
    s.controller.chooseMic('', false);
    await vi.advanceTimersByTimeAsync(0);
    expect(s.store.mic.value).toBe('on');
    s.controller.chooseMic('', true);
    expect(s.store.mic.value).toBe('off');
  });

  it('explains a browser that cannot', () => {
    const s = setUp({ noWebRTC: true });
    s.controller.toggleCall();
    expect([s.store.status.value, s.store.card.value?.code]).toEqual(['error', 'unsupported']);
  });
});

describe('push-to-talk', () => {
  it('sends start and stop once each', async () => {
    const s = await live();
    s.controller.talkStart();
    s.controller.talkStart();
    expect(s.store.status.value).toBe('hearing');
    s.controller.talkStop();
    s.controller.talkStop();
    expect(types(s)).toEqual(['parley.talk.start', 'parley.talk.stop']);
    expect(s.store.status.value).toBe('thinking');
  });

  it('silences a reply that is being played', async () => {
    const s = await live();
    s.hooks().onEvent({ type: 'output_audio_buffer.started', response_id: 'r' }, 'channel');
    s.controller.talkStart();
    expect(s.sound.speaker.hush).toHaveBeenCalledOnce();
  });

  it.each([
    ['hands-free', (s: Setup) => s.controller.setMode('hands-free')],
    ['muted', (s: Setup) => s.controller.toggleMute()],
    ['disconnected', (s: Setup) => s.hooks().onState({ phase: 'reconnecting', cause: 'socket', retryMs: 1 })],
    ['hung up', (s: Setup) => s.controller.hangUp()],
  ])('does nothing when %s', async (_, prepare) => {
    const s = await live();
    prepare(s);
    s.controller.talkStart();
    expect(s.store.talking.value).toBe(false);
    expect(types(s)).not.toContain('parley.talk.start');
  });

  it('opens a microphone that is not there yet, and talks from then on', async () => {
    const s = await live({ settings: { listenOnly: true } });
    s.controller.talkStart();
    expect([s.store.opening.value, s.store.talking.value, types(s)]).toEqual([true, false, []]);
    await vi.advanceTimersByTimeAsync(0);
    expect([s.store.opening.value, s.store.status.value, types(s)]).toEqual([false, 'hearing', ['parley.talk.start']]);
  });

  it('does not talk when the button was let go before the microphone opened', async () => {
    const s = await live({ settings: { listenOnly: true } });
    s.controller.talkStart();
    s.controller.talkStop();
    await vi.advanceTimersByTimeAsync(0);
    expect([s.store.mic.value, s.store.opening.value, types(s)]).toEqual(['on', false, []]);
  });

  it('does not ask again by itself for a microphone that was refused', async () => {
    const mic = vi.fn(async () => Promise.reject(Object.assign(new Error(), { name: 'NotAllowedError' })));
    const s = await live({ settings: { listenOnly: true }, mic });
    s.controller.talkStart();
    await vi.advanceTimersByTimeAsync(0);
    s.controller.talkStart();
    expect([s.store.mic.value, s.store.opening.value, mic.mock.calls.length, types(s)]).toEqual(['denied', false, 1, []]);
  });

  it('owes the server the release when the line broke meanwhile', async () => {
    const s = await live();
    s.controller.talkStart();
    s.line.up = false;
    s.hooks().onState({ phase: 'reconnecting', cause: 'socket', retryMs: 250 });
    expect(s.store.talking.value).toBe(false);
    s.line.up = true;
    s.hooks().onState({ phase: 'live', audio: true });
    expect(types(s)).toEqual(['parley.talk.start', 'parley.talk.stop']);
  });

  it('muting releases the button', async () => {
    const s = await live();
    s.controller.talkStart();
    s.controller.toggleMute();
    expect(types(s)).toEqual(['parley.talk.start', 'parley.talk.stop']);
    expect(s.store.muted.value).toBe(true);
    s.controller.toggleMute();
    expect(s.store.muted.value).toBe(false);
  });

  it('does not think for ever about what the server never mentions again', async () => {
    const s = await live();
    s.controller.talkStart();
    s.controller.talkStop();
    vi.advanceTimersByTime(15_000);
    expect(s.store.status.value).toBe('listening');
  });
});

describe('writing', () => {
  it('sends the message and asks for a reply', async () => {
    const s = await live();
    expect(s.controller.sendText('  hello ')).toBe(true);
    expect(types(s)).toEqual(['conversation.item.create', 'response.create']);
    expect(s.sent[0]).toMatchObject({ event_id: 'web_1', item: { role: 'user', content: [{ type: 'input_text', text: 'hello' }] } });
    expect(s.store.status.value).toBe('thinking');
    expect(s.controller.sendText('   ')).toBe(false);
  });

  it('interrupts the reply', async () => {
    const s = await live();
    s.hooks().onEvent({ type: 'response.created', response: { id: 'r' } }, 'channel');
    s.hooks().onEvent({ type: 'output_audio_buffer.started', response_id: 'r' }, 'channel');
    s.controller.sendText('stop');
    expect(types(s)).toEqual(['response.cancel', 'output_audio_buffer.clear', 'conversation.item.create', 'response.create']);
  });

  it('starts a call without a microphone and sends when it is up', async () => {
    const s = setUp();
    expect(s.controller.sendText('hello')).toBe(true);
    expect(s.store.phase.value).toBe('connecting');
    expect(s.controller.sendText('again')).toBe(false);
    s.hooks().onState({ phase: 'live', audio: true });
    expect(types(s)).toEqual(['conversation.item.create', 'response.create']);
    expect(s.store.mic.value).toBe('off');
  });

  it('keeps the words in the box while the line is down', async () => {
    const s = await live();
    s.hooks().onState({ phase: 'reconnecting', cause: 'socket', retryMs: 250 });
    expect(s.controller.sendText('hello')).toBe(false);
  });
});

describe('what arrives', () => {
  it('is logged and shown', async () => {
    const s = await live();
    s.hooks().onEvent({ type: 'input_audio_buffer.speech_started', item_id: 'u' }, 'channel');
    s.hooks().onSent({ type: 'x' }, 'socket');
    expect(s.store.status.value).toBe('hearing');
    expect(s.store.log.value.map((e) => [e.direction, e.via, e.event.type])).toEqual([
      ['in', 'channel', 'input_audio_buffer.speech_started'],
      ['out', 'socket', 'x'],
    ]);
  });

  it('the first audible sample is reported', async () => {
    const s = await live();
    s.hooks().onEvent({ type: 'output_audio_buffer.started', response_id: 'r7' }, 'channel');
    expect(s.sound.speaker.unhush).toHaveBeenCalled();
    s.sound.heard(42);
    expect(s.sent.at(-1)).toMatchObject({ type: 'parley.playback.heard', response_id: 'r7', delay_ms: 42 });
  });

  it('a cleared buffer is silent at once', async () => {
    const s = await live();
    s.hooks().onEvent({ type: 'output_audio_buffer.cleared', response_id: 'r' }, 'channel');
    expect(s.sound.speaker.hush).toHaveBeenCalledOnce();
  });

  it('a refusal becomes a note, an expired token does not', async () => {
    const s = await live();
    s.hooks().onRefused('resume_expired', 'x');
    s.hooks().onRefused('rate', 'Too fast.');
    expect(s.store.conversation.value.items.map((i) => i.text)).toEqual(['Too fast.']);
  });

  it('a conversation that could not be resumed is marked', async () => {
    const s = await live();
    s.hooks().onJoined({ type: 'joined', call: 'c2', resume: 't', resumed: false, resumeWindowMs: 1, iceServers: [] }, false);
    expect(s.store.conversation.value.items.at(-1)?.text).toContain('new one');
  });
});

describe('after a resumed socket', () => {
  const again = { type: 'joined', call: 'c', resume: 't', resumed: true, resumeWindowMs: 1, iceServers: [] } as const;

  it.each([
    ['a kept peer goes on speaking', true, 'speaking'],
    ['a new peer does not know what it missed', false, 'listening'],
  ])('%s', async (_, kept, state) => {
    const s = await live();
    s.hooks().onEvent({ type: 'output_audio_buffer.started', response_id: 'r' }, 'channel');
    s.hooks().onJoined({ ...again, iceServers: [] }, kept);
    expect(s.store.status.value).toBe(state);
    expect(s.store.conversation.value.items).toEqual([]);
  });
});

describe('how it ends', () => {
  it.each([
    [{ why: 'bye', reason: 'shutdown' } as const, 'ended', undefined],
    [{ why: 'unreachable' } as const, 'error', 'unreachable'],
    [{ why: 'refused', code: 'busy', message: 'full' } as const, 'error', 'busy'],
    [{ why: 'refused', code: 'unauthorized', message: '' } as const, 'error', 'key'],
  ])('%o', async (end, state, card) => {
    const s = await live();
    s.hooks().onState({ phase: 'over', end });
    expect([s.store.status.value, s.store.card.value?.code]).toEqual([state, card]);
    expect(s.controller.inCall).toBe(false);
  });

  it('says when audio cannot get through, and forgets it when it can', async () => {
    const s = await live();
    s.hooks().onState({ phase: 'live', audio: false });
    expect(s.store.card.value?.code).toBe('no_audio');
    s.hooks().onState({ phase: 'live', audio: true });
    expect(s.store.card.value).toBeUndefined();
  });
});

describe('the key', () => {
  const ok: ConfigAnswer = { kind: 'ok', config: { version: '1', engines: { stt: '', llm: '', tts: '' }, turnDetection: {} } };

  it('is asked for, refused and taken', async () => {
    const s = setUp({ config: [{ kind: 'key' }, { kind: 'key' }, ok] });
    await s.controller.loadConfig();
    expect(s.store.card.value?.title).toContain('asks for a key');
    expect(await s.controller.submitKey('bad')).toBe(false);
    expect(s.store.card.value?.title).toContain('did not take');
    expect(await s.controller.submitKey(' good ')).toBe(true);
    expect([s.key.value, s.store.card.value, s.store.config.value?.version]).toEqual(['good', undefined, '1']);
  });
});

it('choices are kept only where they took', async () => {
  const s = setUp();
  await s.controller.chooseSpeaker('gone');
  expect(s.store.settings.value.speaker).toBe('');
  await s.controller.chooseSpeaker('x');
  s.controller.setVolume(0.3);
  expect(s.store.settings.value).toMatchObject({ speaker: 'x', volume: 0.3 });
});

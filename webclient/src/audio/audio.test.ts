import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sortDevices } from './devices';
import { rms, share } from './level';
import { Microphone, micProblem, type MicState } from './microphone';
import { onset } from './onset';
import { Speaker, type AudioLike } from './speaker';

interface FakeTrack {
  enabled: boolean;
  stopped: boolean;
  onended: (() => void) | null;
  stop: () => void;
}

function fakeStream(): { stream: MediaStream; track: FakeTrack } {
  const track: FakeTrack = { enabled: true, stopped: false, onended: null, stop: () => (track.stopped = true) };
  return { stream: { getTracks: () => [track], getAudioTracks: () => [track] } as unknown as MediaStream, track };
}

const failing = (name: string): Error => Object.assign(new Error(name), { name });

function setUp(getUserMedia: (c: MediaStreamConstraints) => Promise<MediaStream>): { mic: Microphone; states: MicState[]; tracks: unknown[] } {
  const states: MicState[] = [];
  const tracks: unknown[] = [];
  return { mic: new Microphone({ getUserMedia }, { state: (s) => states.push(s), track: (t) => tracks.push(t) }), states, tracks };
}

describe('Microphone', () => {
  it('opens the chosen device with echo cancellation', async () => {
    const { stream, track } = fakeStream();
    const ask = vi.fn(async () => stream);
    const { mic, states, tracks } = setUp(ask);
    await mic.open('headset');
    expect(ask).toHaveBeenCalledWith({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1, deviceId: { exact: 'headset' } } });
    expect(states).toEqual(['asking', 'on']);
    expect(tracks).toEqual([track]);
  });

  it('takes the usual device when the chosen one is gone', async () => {
    const ask = vi.fn(async (c: MediaStreamConstraints) => {
      if ((c.audio as MediaTrackConstraints).deviceId) throw failing('OverconstrainedError');
      return fakeStream().stream;
    });
    const { mic, states } = setUp(ask);
    await mic.open('gone');
    expect(states).toEqual(['asking', 'on']);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'missing'],
    ['NotReadableError', 'busy'],
    ['AbortError', 'busy'],
  ])('%s is %s', async (name, problem) => {
    const { mic, states, tracks } = setUp(async () => Promise.reject(failing(name)));
    await mic.open('');
    expect(states).toEqual(['asking', problem]);
    expect(tracks).toEqual([null]);
    expect(mic.stream).toBeUndefined();
  });

  it('says so where the page is not secure', async () => {
    const states: MicState[] = [];
    const mic = new Microphone(undefined, { state: (s) => states.push(s), track: vi.fn() });
    expect(mic.available).toBe(false);
    await mic.open('');
    expect(states).toEqual(['insecure']);
  });

  it('mutes, stays muted on another device, and lets the first go', async () => {
    const first = fakeStream();
    const second = fakeStream();
    const streams = [first.stream, second.stream];
    const { mic } = setUp(async () => streams.shift()!);
    await mic.open('');
    mic.mute(true);
    expect(first.track.enabled).toBe(false);
    await mic.open('b');
    expect(second.track.enabled).toBe(false);
    expect(first.track.stopped).toBe(true);
    mic.mute(false);
    expect(second.track.enabled).toBe(true);
  });

  it('lets go of a device that is granted after the call has ended', async () => {
    let grant: (s: MediaStream) => void = () => undefined;
    const { mic, states } = setUp(() => new Promise((resolve) => (grant = resolve)));
    const opening = mic.open('');
    mic.close();
    const late = fakeStream();
    grant(late.stream);
    await opening;
    expect(late.track.stopped).toBe(true);
    expect(states).toEqual(['asking', 'off']);
  });

  it('is silent about a refusal that comes after the call has ended', async () => {
    let refuse: (e: Error) => void = () => undefined;
    const { mic, states } = setUp(() => new Promise((_, reject) => (refuse = reject)));
    const opening = mic.open('');
    mic.close();
    refuse(failing('NotAllowedError'));
    await opening;
    expect(states).toEqual(['asking', 'off']);
  });

  it('takes what is left when the device is pulled out', async () => {
    const first = fakeStream();
    const streams = [first.stream, fakeStream().stream];
    const { mic, states } = setUp(async () => streams.shift()!);
    await mic.open('usb');
    first.track.onended?.();
    await vi.waitFor(() => expect(states).toEqual(['asking', 'on', 'asking', 'on']));
  });

  it('takes anything odd for a busy device', () => expect(micProblem('?')).toBe('busy'));
});

describe('Speaker', () => {
  function element(): AudioLike & { play: ReturnType<typeof vi.fn<() => Promise<void>>> } {
    return { srcObject: null, volume: 1, muted: false, play: vi.fn(async () => undefined), setSinkId: vi.fn(async () => undefined) };
  }
  const stream = {} as MediaStream;

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('asks for a click only when the browser wants one', async () => {
    const audio = element();
    const blocked = vi.fn();
    const speaker = new Speaker(audio, blocked);
    audio.play.mockRejectedValueOnce(failing('NotAllowedError'));
    await speaker.play(stream);
    expect(blocked).toHaveBeenLastCalledWith(true);
    await speaker.resume();
    expect(blocked).toHaveBeenLastCalledWith(false);
    audio.play.mockRejectedValueOnce(failing('AbortError'));
    await speaker.play(stream);
    expect(blocked).toHaveBeenCalledTimes(2);
  });

  it('has nothing to resume before a call', async () => {
    const audio = element();
    await new Speaker(audio, vi.fn()).resume();
    expect(audio.play).not.toHaveBeenCalled();
  });

  it('keeps the volume in bounds', () => {
    const audio = element();
    const speaker = new Speaker(audio, vi.fn());
    speaker.setVolume(1.5);
    expect(audio.volume).toBe(1);
    speaker.setVolume(-1);
    expect(audio.volume).toBe(0);
  });

  it('is silent for a moment after an interruption, or until the next reply', () => {
    const audio = element();
    const speaker = new Speaker(audio, vi.fn());
    speaker.hush();
    expect(audio.muted).toBe(true);
    vi.advanceTimersByTime(250);
    expect(audio.muted).toBe(false);
    speaker.hush();
    speaker.unhush();
    expect(audio.muted).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('chooses the output where it can', async () => {
    const audio = element();
    const speaker = new Speaker(audio, vi.fn());
    expect(await speaker.choose('x')).toBe(true);
    audio.setSinkId = async () => Promise.reject(failing('NotFoundError'));
    expect(await speaker.choose('gone')).toBe(false);
    delete audio.setSinkId;
    expect(speaker.canChoose).toBe(false);
    expect(await speaker.choose('x')).toBe(false);
  });
});

describe('onset', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('reports the first audible sample once', () => {
    let level = 0.001;
    const found = vi.fn();
    onset(() => level, found);
    vi.advanceTimersByTime(60);
    expect(found).not.toHaveBeenCalled();
    level = 0.2;
    vi.advanceTimersByTime(60);
    expect(found.mock.calls).toEqual([[65]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up on a silent reply, and can be stopped', () => {
    const found = vi.fn();
    onset(() => 0, found);
    vi.advanceTimersByTime(5000);
    expect(vi.getTimerCount()).toBe(0);
    onset(() => 0, found)();
    expect(vi.getTimerCount()).toBe(0);
    expect(found).not.toHaveBeenCalled();
  });
});

describe('levels', () => {
  it('rms', () => {
    expect(rms(new Float32Array(0))).toBe(0);
    expect(rms(Float32Array.of(0.5, -0.5))).toBeCloseTo(0.5);
  });

  it.each([
    [0, 0],
    [10 ** (-60 / 20), 0],
    [10 ** (-31.5 / 20), 0.5],
    [1, 1],
  ])('share of %d is %d', (level, part) => expect(share(level)).toBeCloseTo(part));
});

it('sortDevices leaves out what the page offers itself, and names the nameless', () => {
  const device = (kind: MediaDeviceKind, deviceId: string, label = ''): Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'> => ({ kind, deviceId, label });
  expect(
    sortDevices([device('audioinput', 'default', 'Default'), device('audioinput', 'a', 'Headset'), device('audioinput', 'b'), device('audiooutput', 'communications'), device('audiooutput', 'c'), device('videoinput', 'd', 'Camera'), device('audioinput', '')]),
  ).toEqual({
    microphones: [
      { id: 'a', label: 'Headset' },
      { id: 'b', label: 'Microphone 2' },
    ],
    speakers: [{ id: 'c', label: 'Speaker 1' }],
  });
});

import { describe, expect, it, vi } from 'vitest';
import { noTotals, readQuality } from './quality';
import { WakeLock } from './wakelock';

describe('readQuality', () => {
  const inbound = (received: number, lost: number, delay: number, emitted: number): Record<string, unknown> => ({
    type: 'inbound-rtp',
    kind: 'audio',
    packetsReceived: received,
    packetsLost: lost,
    jitterBufferDelay: delay,
    jitterBufferEmittedCount: emitted,
  });

  it('reads what happened since the last look', () => {
    const first = readQuality([inbound(100, 0, 4, 100)], noTotals);
    expect(first.quality).toEqual({ rttMs: undefined, bufferMs: 40, loss: 0 });
    const pair = { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.012 };
    const second = readQuality([pair, inbound(190, 10, 6, 200)], first.totals);
    expect(second.quality).toEqual({ rttMs: 12, bufferMs: 20, loss: 0.1 });
  });

  it('claims nothing that it does not know', () => {
    expect(readQuality([], noTotals).quality).toEqual({ rttMs: undefined, bufferMs: undefined, loss: undefined });
    const totals = { received: 5, lost: 1, delay: 1, emitted: 5 };
    expect(readQuality([inbound(5, 1, 1, 5), { type: 'inbound-rtp', kind: 'video' }], totals)).toEqual({ quality: { rttMs: undefined, bufferMs: undefined, loss: undefined }, totals });
  });
});

describe('WakeLock', () => {
  it('holds, takes it again when the page is seen again, and lets go', async () => {
    const release = vi.fn(async () => undefined);
    const request = vi.fn(async () => ({ release }));
    const lock = new WakeLock({ request });
    await lock.visible();
    expect(request).not.toHaveBeenCalled();
    await lock.hold();
    await lock.visible();
    expect(request).toHaveBeenCalledTimes(2);
    await lock.release();
    expect(release).toHaveBeenCalledOnce();
    await lock.visible();
    expect(request).toHaveBeenCalledTimes(2);
  });

  it('lets go of a lock that comes after the call', async () => {
    const release = vi.fn(async () => undefined);
    const lock = new WakeLock({ request: async () => ({ release }) });
    const holding = lock.hold();
    await lock.release();
    await holding;
    expect(release).toHaveBeenCalledOnce();
  });

  it('does without', async () => {
    await expect(new WakeLock(undefined).hold()).resolves.toBeUndefined();
    await expect(new WakeLock({ request: async () => Promise.reject(new Error('low battery')) }).hold()).resolves.toBeUndefined();
  });
});

import { effect } from '@preact/signals';
import { number, text } from '../wire/protocol';
import type { Controller } from './controller';
import type { Store } from './store';

/** The line as the browser measures it; undefined is unknown. */
export interface Quality {
  rttMs: number | undefined;
  /** Mean time that arriving audio waits in the jitter buffer, ms. */
  bufferMs: number | undefined;
  /** Share of arriving audio packets that were lost, 0 to 1. */
  loss: number | undefined;
}

/** Running totals of the last look, from which the next makes differences. */
export interface Totals {
  received: number;
  lost: number;
  delay: number;
  emitted: number;
}

export const noTotals: Totals = { received: 0, lost: 0, delay: 0, emitted: 0 };

type Report = Record<string, unknown>;

/** Reads getStats(): what happened since `before`, and the totals for the next time. */
export function readQuality(reports: Iterable<Report>, before: Totals): { quality: Quality; totals: Totals } {
  const quality: Quality = { rttMs: undefined, bufferMs: undefined, loss: undefined };
  let totals = before;
  for (const report of reports) {
    if (text(report.type) === 'candidate-pair' && report.nominated === true && report.state === 'succeeded') {
      const rtt = number(report.currentRoundTripTime);
      quality.rttMs = rtt === undefined ? undefined : rtt * 1000;
    }
    if (text(report.type) !== 'inbound-rtp' || report.kind !== 'audio') continue;
    totals = {
      received: number(report.packetsReceived) ?? 0,
      lost: number(report.packetsLost) ?? 0,
      delay: number(report.jitterBufferDelay) ?? 0,
      emitted: number(report.jitterBufferEmittedCount) ?? 0,
    };
    const emitted = totals.emitted - before.emitted;
    if (emitted > 0) quality.bufferMs = ((totals.delay - before.delay) / emitted) * 1000;
    const lost = Math.max(0, totals.lost - before.lost);
    const packets = totals.received - before.received + lost;
    if (packets > 0) quality.loss = lost / packets;
  }
  return { quality, totals };
}

const everyMs = 2000;

/** Looks at the line every two seconds while a call is up. */
export function watchQuality(store: Store, controller: Controller): void {
  effect(() => {
    if (store.phase.value !== 'live') return undefined;
    let totals = noTotals;
    const timer = setInterval(() => void look(), everyMs);
    const look = async (): Promise<void> => {
      const stats = await controller.peer?.getStats().catch(() => undefined);
      if (!stats || store.phase.peek() !== 'live') return;
      const read = readQuality(stats.values() as Iterable<Report>, totals);
      totals = read.totals;
      store.quality.value = read.quality;
    };
    return () => clearInterval(timer);
  });
}

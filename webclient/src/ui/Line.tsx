import { effect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { share } from '../audio/level';
import type { Status } from '../state/status';
import { useKit, type Kit } from './context';
import { barCount, paint, type Picture } from './paint';
import { StatusLine } from './StatusLine';

const stepMs = 45;
const calmStepMs = 250; // where the caller asked for less motion
const lapMs: Partial<Record<Status, number>> = { connecting: 1100, thinking: 900, reconnecting: 1800 };

function colorsOf(element: Element): Picture['colors'] {
  const css = getComputedStyle(element);
  const read = (name: string): string => css.getPropertyValue(name).trim();
  return { line: read('--edge'), you: read('--you'), parley: read('--parley') };
}

/** Where the dot is on its way there and back. */
function dotAt(status: Status, now: number, calm: boolean): number | undefined {
  const lap = lapMs[status];
  if (lap === undefined) return undefined;
  return calm ? 0.5 : 0.5 - 0.5 * Math.cos((Math.PI * now) / lap);
}

/** Runs the drawing and the meter; returns a function that stops both. */
function animate(canvas: HTMLCanvasElement, meter: HTMLElement, { store, levels }: Kit): () => void {
  const g = canvas.getContext('2d');
  if (!g) return () => undefined;
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let mic: number[] = [];
  let reply: number[] = [];
  let last = 0;
  let frame = 0;

  const draw = (now: number): void => {
    const status = store.status.value;
    const live = store.phase.value === 'live' || store.phase.value === 'reconnecting';
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const count = calm.matches ? 1 : barCount(width);
    const step = calm.matches ? calmStepMs : stepMs;
    if (now - last >= step) {
      last = now;
      const now2 = live ? levels() : { mic: 0, reply: 0 };
      const level = share(now2.mic);
      const heard = store.settings.value.mode === 'hands-free' || store.talking.value;
      mic = [heard ? level : 0, ...mic].slice(0, count);
      reply = [share(now2.reply), ...reply].slice(0, count);
      meter.style.setProperty('--level', level.toFixed(3));
      meter.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    }
    g.setTransform(scale, 0, 0, scale, 0, 0);
    paint(g, { width, height, mic, reply, shift: calm.matches ? 0 : Math.min(1, (now - last) / step), dot: dotAt(status, now, calm.matches), colors: colorsOf(canvas) });
    const moving = live || status === 'connecting' || mic.some((l) => l > 0) || reply.some((l) => l > 0);
    frame = moving ? requestAnimationFrame(draw) : 0;
  };
  const kick = (): void => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const observer = new ResizeObserver(kick);
  observer.observe(canvas);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', kick);
  const stop = effect(() => {
    void store.status.value;
    void store.settings.value;
    kick();
  });
  return () => {
    stop();
    observer.disconnect();
    dark.removeEventListener('change', kick);
    cancelAnimationFrame(frame);
  };
}

/** The line between you and parley with both voices on it, your level, and the state in words. */
export function Line(): JSX.Element {
  const kit = useKit();
  const canvas = useRef<HTMLCanvasElement>(null);
  const meter = useRef<HTMLDivElement>(null);
  useEffect(() => (canvas.current && meter.current ? animate(canvas.current, meter.current, kit) : undefined), [kit]);
  return (
    <div class="line">
      <canvas ref={canvas} class="line-canvas" aria-hidden="true" />
      <div class="line-ends">
        <span class="end-you">You</span>
        <div ref={meter} class="meter" id="level-meter" data-testid="level-meter" role="meter" aria-label="Microphone level" aria-valuemin={0} aria-valuemax={100} aria-valuenow={0} />
        <StatusLine />
        <span class="end-parley">Parley</span>
      </div>
    </div>
  );
}

import { list, number, record, text, type WireEvent } from '../wire/protocol';

/** One stretch of a turn's wait. */
export interface Stage {
  name: string;
  ms: number;
}

/** One turn as the waterfall shows it. */
export interface Turn {
  /** The call it belongs to: the numbers begin anew with every call. */
  call: string;
  turn: number;
  status: string;
  reason: string;
  input: string;
  user: string;
  heard: string;
  stages: Stage[];
  totalMs: number;
}

/** The stages in order with the words the page uses for them. */
export const stageLabels: readonly { name: string; label: string; help: string }[] = [
  { name: 'endpointing', label: 'End of speech', help: 'waiting to be sure that you had finished' },
  { name: 'stt', label: 'Transcript', help: 'understanding the words' },
  { name: 'llm_first_token', label: 'First word', help: 'the model’s first piece of text' },
  { name: 'llm_first_clause', label: 'First clause', help: 'enough text to begin to speak' },
  { name: 'tts_first_audio', label: 'Voice', help: 'the voice’s first samples' },
  { name: 'send', label: 'Send', help: 'the first packet on its way' },
  { name: 'network', label: 'To your ear', help: 'network, jitter buffer and playback' },
];

export function stageLabel(name: string): string {
  return stageLabels.find((s) => s.name === name)?.label ?? name;
}

const kept = 8;

function readStage(value: unknown): Stage | undefined {
  const fields = record(value);
  const name = text(fields?.name);
  const ms = number(fields?.ms);
  return name !== '' && ms !== undefined && ms >= 0 ? { name, ms } : undefined;
}

/** Tells turns of all calls apart. */
export const turnKey = (t: Turn): string => `${t.call}:${t.turn}`;

/** Reads parley.turn, which came in `call`; undefined if it carries no turn number. */
export function readTurn(event: WireEvent, call: string): Turn | undefined {
  const turn = number(event.turn);
  if (turn === undefined) return undefined;
  const timeline = record(event.timeline);
  const stages = list(timeline?.stages)
    .map(readStage)
    .filter((s) => s !== undefined);
  return {
    call,
    turn,
    status: text(event.status),
    reason: text(event.reason),
    input: text(event.input),
    user: text(event.user),
    heard: text(event.heard),
    stages,
    totalMs: number(timeline?.total_ms) ?? stages.reduce((sum, s) => sum + s.ms, 0),
  };
}

/** Adds a turn of the newest call or replaces it where marks were added to it; keeps the last eight of all calls. */
export function addTurn(turns: readonly Turn[], turn: Turn): Turn[] {
  const before = turns.filter((t) => t.call !== turn.call);
  const same = turns.filter((t) => t.call === turn.call && t.turn !== turn.turn);
  return [...before, ...[...same, turn].sort((a, b) => a.turn - b.turn)].slice(-kept);
}

const numbered = /^item_(.+)_[ua](\d+)$/;

/** The call that an item's id names; '' if it names none. */
export function callOf(id: string): string {
  return numbered.exec(id)?.[1] ?? '';
}

/** Which wait belongs to which reply, by item id: call and turn are in the id of the words before it. */
export function waits(items: readonly { id: string; role: string }[], turns: readonly Turn[]): Map<string, number> {
  const result = new Map<string, number>();
  let turn: Turn | undefined;
  for (const { id, role } of items) {
    if (role === 'user') {
      const [, call, number] = numbered.exec(id) ?? [];
      turn = turns.find((t) => t.call === call && String(t.turn) === number);
    } else if (role === 'assistant' && turn?.call === callOf(id)) {
      result.set(id, turn.totalMs);
      turn = undefined;
    }
  }
  return result;
}

/** The median wait of the turns that were answered, ms. */
export function medianTotal(turns: readonly Turn[]): number | undefined {
  const totals = turns
    .filter((t) => t.totalMs > 0)
    .map((t) => t.totalMs)
    .sort((a, b) => a - b);
  const middle = totals.length >> 1;
  const upper = totals[middle];
  if (upper === undefined) return undefined;
  return totals.length % 2 === 1 ? upper : (upper + (totals[middle - 1] ?? upper)) / 2;
}

/** The end of the axis: the least round figure that holds every turn, ms. */
export function axisMax(turns: readonly Turn[]): number {
  const most = Math.max(100, ...turns.map((t) => t.totalMs));
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => s * power >= most) ?? 10;
  return step * power;
}

/** Milliseconds for a table: 0.4, 12, 1240. */
export function formatFigure(ms: number): string {
  return ms > 0 && ms < 10 ? ms.toFixed(1) : `${Math.round(ms)}`;
}

/** Milliseconds for reading: 0.4, 12, 384, 1.24 s. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms > 0 && ms < 10) return `${ms.toFixed(1)} ms`;
  return `${Math.round(ms)} ms`;
}

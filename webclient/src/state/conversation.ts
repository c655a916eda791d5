import { list, record, text, type WireEvent } from '../wire/protocol';
import { heardLength } from './heard';
import { addTurn, callOf, readTurn, type Turn } from './turns';

export interface Item {
  id: string;
  role: 'user' | 'assistant' | 'note';
  text: string;
  /** The words will not change any more. */
  final: boolean;
  /** Characters heard of a reply that is being spoken or was cut off; undefined: all of it, or it is only written. */
  heard: number | undefined;
  /** The reply was cut off at `heard`. */
  interrupted: boolean;
  /** Something went wrong with this one. */
  failed: boolean;
  response: string;
}

/** What the page knows of the conversation; made from events alone. */
export interface Conversation {
  /** Id of the call under way, or of the last one. */
  call: string;
  items: readonly Item[];
  turns: readonly Turn[];
  hearing: boolean;
  /** The turn is the assistant's, but no reply has begun. */
  awaiting: boolean;
  /** Ids of the reply being made and of the one being played; '' is none. */
  responding: string;
  playing: string;
  notes: number;
  /** Labels of the timers that were set and have not rung. */
  timers: readonly string[];
}

export type Voice = 'listening' | 'hearing' | 'thinking' | 'speaking';

export const empty: Conversation = {
  call: '',
  items: [],
  turns: [],
  hearing: false,
  awaiting: false,
  responding: '',
  playing: '',
  notes: 0,
  timers: [],
};

const keptItems = 200;

/** Whose turn it is, in one word. */
export function voice(c: Conversation): Voice {
  if (c.hearing) return 'hearing';
  if (c.playing !== '') return 'speaking';
  return c.awaiting || c.responding !== '' ? 'thinking' : 'listening';
}

export const talkStarted = (c: Conversation): Conversation => ({ ...c, hearing: true, awaiting: false });
export const talkStopped = (c: Conversation): Conversation => ({ ...c, hearing: false, awaiting: c.hearing });
export const textSent = (c: Conversation): Conversation => ({ ...c, awaiting: true });

/** Nothing is under way any more: the call ended, or a new one began on the same page. */
export function atRest(c: Conversation): Conversation {
  const items = c.items.filter((i) => i.text !== '').map(closed);
  return { ...c, items, hearing: false, awaiting: false, responding: '', playing: '' };
}

/** An item of which no more is said: a reply that was under way stays as it was heard. */
function closed(i: Item): Item {
  if (i.role !== 'assistant' || i.interrupted) return i.final ? i : { ...i, final: true };
  const open = !i.final || (i.heard !== undefined && i.heard < i.text.length);
  return { ...i, final: true, heard: open ? i.heard : undefined, interrupted: open };
}

/** The call was lost and a new one took its place: nothing of the old goes on. */
export function callLost(c: Conversation): Conversation {
  const words = 'The old conversation could not be brought back; this is a new one.';
  const gone = c.timers.length > 0 ? ' Timers of the old call are gone.' : '';
  return { ...addNote(atRest(c), words + gone), timers: [] };
}

/** The connection was made anew: what was under way may have ended unseen. */
export function unsure(c: Conversation): Conversation {
  return { ...c, hearing: false, awaiting: false, responding: '', playing: '' };
}

/** Adds a line of the page's own to the transcript. */
export function addNote(c: Conversation, words: string, failed = false): Conversation {
  const notes = c.notes + 1;
  return put({ ...c, notes }, { ...blank(`note_${notes}`, 'note'), text: words, final: true, failed });
}

function blank(id: string, role: Item['role']): Item {
  return { id, role, text: '', final: false, heard: undefined, interrupted: false, failed: false, response: '' };
}

function put(c: Conversation, item: Item): Conversation {
  const at = c.items.findIndex((i) => i.id === item.id);
  const items = at < 0 ? [...c.items, item].slice(-keptItems) : c.items.with(at, item);
  return { ...c, items };
}

function edit(c: Conversation, id: string, role: Item['role'], change: (item: Item) => Partial<Item>): Conversation {
  if (id === '') return c;
  const item = c.items.find((i) => i.id === id) ?? blank(id, role);
  return put(c, { ...item, ...change(item) });
}

/** Changes every item of a reply. */
function editReply(c: Conversation, response: string, change: (item: Item) => Partial<Item>): Conversation {
  return { ...c, items: c.items.map((i) => (i.response === response && response !== '' ? { ...i, ...change(i) } : i)) };
}

function withoutEmpty(c: Conversation): Conversation {
  return { ...c, items: c.items.filter((i) => i.role !== 'user' || i.text !== '') };
}

function contentText(item: Record<string, unknown>): string {
  return list(item.content)
    .map((part) => record(part))
    .map((part) => text(part?.text) || text(part?.transcript))
    .filter(Boolean)
    .join(' ');
}

type Handler = (c: Conversation, e: WireEvent) => Conversation;

function itemSeen(c: Conversation, e: WireEvent, done: boolean): Conversation {
  const item = record(e.item);
  const role = item?.role === 'user' ? 'user' : 'assistant';
  if (!item || (item.type !== undefined && item.type !== 'message') || item.role === 'system') return c;
  const words = contentText(item);
  const spoken = role === 'user' && words === ''; // its words are still on their way
  return edit(c, text(item.id), role, (old) => ({
    // A replayed reply may have grown meanwhile; one that was cut is told shorter than it was made.
    text: role === 'user' ? words || old.text : longer(old.text, words),
    final: old.final || (done && !spoken),
    interrupted: old.interrupted || (done && role === 'assistant' && old.response === '' && item.status === 'incomplete'),
  }));
}

function longer(a: string, b: string): string {
  return b.length > a.length ? b : a;
}

function assistantText(c: Conversation, e: WireEvent, spoken: boolean): Conversation {
  return edit(c, text(e.item_id), 'assistant', (old) => ({
    text: old.text + text(e.delta),
    heard: spoken ? (old.heard ?? 0) : undefined,
    response: text(e.response_id),
  }));
}

function assistantDone(c: Conversation, e: WireEvent, words: string): Conversation {
  return edit(c, text(e.item_id), 'assistant', (old) => ({
    text: words || old.text,
    final: true,
    response: text(e.response_id) || old.response,
  }));
}

function playbackEnded(c: Conversation, e: WireEvent, cut: boolean): Conversation {
  const id = text(e.response_id) || c.playing;
  const next = editReply(c, id, () => (cut ? { interrupted: true, final: true } : { heard: undefined }));
  return { ...next, playing: '' };
}

function responseDone(c: Conversation, e: WireEvent): Conversation {
  const response = record(e.response);
  const id = text(response?.id);
  const status = text(response?.status);
  let next: Conversation = { ...c, responding: '', awaiting: false };
  if (status === 'cancelled') {
    next = editReply(next, id, () => ({ interrupted: true, final: true }));
  } else if (status === 'failed') {
    next = editReply(next, id, () => ({ failed: true, final: true }));
  }
  return { ...next, items: next.items.filter((i) => i.response !== id || i.text !== '') };
}

function turnEnded(c: Conversation, e: WireEvent): Conversation {
  const turn = readTurn(e, c.call);
  if (!turn) return c;
  let next: Conversation = { ...c, turns: addTurn(c.turns, turn), awaiting: c.awaiting && c.hearing };
  if (turn.user === '') next = withoutEmpty(next);
  const cut = next.items.findLast((i) => i.role === 'assistant' && callOf(i.id) === c.call);
  if (cut?.interrupted && cut.heard !== undefined && turn.status === 'cancelled') {
    next = put(next, { ...cut, heard: heardLength(cut.text, turn.heard) });
  }
  return next;
}

/** 'tea' and 'Tea timer' are both the 'Tea timer'. */
function timerName(label: string): string {
  if (label === '') return 'Timer';
  const name = /\btimer$/i.test(label) ? label : `${label} timer`;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function timer(c: Conversation, e: WireEvent): Conversation {
  const label = text(e.label);
  const name = timerName(label);
  if (e.state === 'rang') {
    const at = c.timers.indexOf(label);
    return addNote({ ...c, timers: at < 0 ? c.timers : c.timers.toSpliced(at, 1) }, `${name}: time is up.`);
  }
  const due = new Date(text(e.due));
  const at = Number.isNaN(due.getTime()) ? '' : `, rings at ${due.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })}`;
  return addNote({ ...c, timers: [...c.timers, label] }, `${name} set${at || '.'}`);
}

/** Refusals that only mean that there was nothing left to do. */
const harmless = new Set(['response_cancel_not_active', 'input_audio_buffer_commit_empty']);

function refused(c: Conversation, e: WireEvent): Conversation {
  const error = record(e.error);
  const code = text(error?.code);
  if (harmless.has(code)) return { ...c, awaiting: false };
  return addNote({ ...c, awaiting: false }, text(error?.message) || 'The server refused that.', true);
}

const handlers: Readonly<Record<string, Handler>> = {
  'input_audio_buffer.speech_started': (c, e) => edit({ ...c, hearing: true, awaiting: false }, text(e.item_id), 'user', () => ({})),
  'input_audio_buffer.speech_stopped': (c) => ({ ...c, hearing: false, awaiting: true }),
  'input_audio_buffer.committed': (c, e) => edit({ ...c, hearing: false, awaiting: c.responding === '' && c.playing === '' }, text(e.item_id), 'user', () => ({})),
  'input_audio_buffer.cleared': (c) => withoutEmpty({ ...c, hearing: false, awaiting: false }),
  'parley.transcript.partial': (c, e) => edit(c, text(e.item_id), 'user', (old) => (old.final ? {} : { text: text(e.transcript) })),
  'conversation.item.input_audio_transcription.completed': (c, e) =>
    withoutEmpty(edit(c, text(e.item_id), 'user', () => ({ text: text(e.transcript), final: true }))),
  'conversation.item.input_audio_transcription.failed': (c, e) =>
    edit(c, text(e.item_id), 'user', (old) => ({ text: old.text || '(not understood)', final: true, failed: true })),
  'conversation.item.added': (c, e) => itemSeen(c, e, false),
  'conversation.item.done': (c, e) => itemSeen(c, e, true),
  'conversation.item.truncated': (c, e) => edit(c, text(e.item_id), 'assistant', () => ({ interrupted: true, final: true })),
  'conversation.item.deleted': (c, e) => ({ ...c, items: c.items.filter((i) => i.id !== e.item_id) }),
  'response.created': (c, e) => ({ ...c, awaiting: false, responding: text(record(e.response)?.id) || 'reply' }),
  'response.output_item.added': (c, e) =>
    edit(c, text(record(e.item)?.id), 'assistant', () => ({ response: text(e.response_id) })),
  'response.output_audio_transcript.delta': (c, e) => assistantText(c, e, true),
  'response.output_text.delta': (c, e) => assistantText(c, e, false),
  'response.output_audio_transcript.done': (c, e) => assistantDone(c, e, text(e.transcript)),
  'response.output_text.done': (c, e) => assistantDone(c, e, text(e.text)),
  'response.done': responseDone,
  'output_audio_buffer.started': (c, e) => ({ ...c, awaiting: false, playing: text(e.response_id) || 'reply' }),
  'output_audio_buffer.stopped': (c, e) => playbackEnded(c, e, false),
  'output_audio_buffer.cleared': (c, e) => playbackEnded(c, e, true),
  'parley.heard': (c, e) =>
    edit(c, text(e.item_id), 'assistant', (old) => (old.heard === undefined ? {} : { heard: heardLength(old.text, text(e.transcript)) })),
  'parley.turn': turnEnded,
  'parley.notice': (c, e) => addNote(c, text(e.message), true),
  'parley.timer': timer,
  error: refused,
};

/** The conversation after an event; events it does not know change nothing. */
export function reduce(c: Conversation, event: WireEvent): Conversation {
  return Object.hasOwn(handlers, event.type) ? (handlers[event.type]?.(c, event) ?? c) : c;
}

/** What was heard of a reply that was cut off, ready for the dash. */
export function cutText(i: Item): string {
  return i.text.slice(0, i.heard).replace(/[\s.,;:!?…–—-]+$/, '');
}

/** The conversation as plain text, for the clipboard. */
export function plainText(c: Conversation): string {
  const names = { user: 'You', assistant: 'Parley', note: '·' };
  return c.items
    .filter((i) => i.text !== '')
    .map((i) => `${names[i.role]}: ${i.interrupted ? `${cutText(i)}—` : i.text}`)
    .join('\n');
}

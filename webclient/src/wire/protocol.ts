/**
 * The messages of the signaling socket and the events inside them. Whatever
 * comes off the wire is checked here once; the rest of the page sees types.
 */

export const version = 1;

/** A realtime event; its fields are read with the helpers below, never trusted. */
export interface WireEvent {
  readonly type: string;
  readonly event_id?: string;
  readonly [field: string]: unknown;
}

export interface Candidate {
  candidate: string;
  sdpMid: string | null;
  sdpMLineIndex: number | null;
}

export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

export type FromServer =
  | { type: 'joined'; call: string; resume: string; resumed: boolean; resumeWindowMs: number; iceServers: IceServer[] }
  | { type: 'answer'; sdp: string }
  | { type: 'candidate'; candidate: Candidate | null }
  | { type: 'event'; event: WireEvent }
  | { type: 'error'; code: string; message: string; fatal: boolean }
  | { type: 'bye'; reason: string }
  | { type: 'pong'; t: number };

export type ToServer =
  | { type: 'join'; key?: string; resume?: string; client: string; session?: object }
  | { type: 'offer'; sdp: string }
  | { type: 'candidate'; candidate: Candidate | null }
  | { type: 'event'; event: WireEvent }
  | { type: 'bye' }
  | { type: 'ping'; t: number };

type Fields = Record<string, unknown>;

export function record(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function parse(json: string): Fields | undefined {
  try {
    return record(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** Reads a realtime event; undefined if it is none. */
export function parseEvent(json: string): WireEvent | undefined {
  return asEvent(parse(json));
}

function asEvent(fields: Fields | undefined): WireEvent | undefined {
  return fields && text(fields.type) !== '' ? (fields as unknown as WireEvent) : undefined;
}

function asCandidate(value: unknown): Candidate | null {
  const fields = record(value);
  if (!fields || text(fields.candidate) === '') return null;
  return {
    candidate: text(fields.candidate),
    sdpMid: typeof fields.sdpMid === 'string' ? fields.sdpMid : null,
    sdpMLineIndex: number(fields.sdpMLineIndex) ?? null,
  };
}

function asIceServers(value: unknown): IceServer[] {
  return list(value)
    .map(record)
    .filter((server) => server !== undefined && (typeof server.urls === 'string' || Array.isArray(server.urls)))
    .map((server) => server as unknown as IceServer);
}

/** Reads a socket message; undefined for anything this page does not know. */
export function parseMessage(json: string): FromServer | undefined {
  const m = parse(json);
  if (m?.v !== version) return undefined;
  switch (m.type) {
    case 'joined':
      return {
        type: 'joined',
        call: text(m.call),
        resume: text(m.resume),
        resumed: m.resumed === true,
        resumeWindowMs: number(m.resume_window_ms) ?? 30_000,
        iceServers: asIceServers(m.ice_servers),
      };
    case 'answer':
      return { type: 'answer', sdp: text(m.sdp) };
    case 'candidate':
      return { type: 'candidate', candidate: asCandidate(m.candidate) };
    case 'event': {
      const event = asEvent(record(m.event));
      return event && { type: 'event', event };
    }
    case 'error':
      return { type: 'error', code: text(m.code), message: text(m.message), fatal: m.fatal === true };
    case 'bye':
      return { type: 'bye', reason: text(m.reason) };
    case 'pong':
      return { type: 'pong', t: number(m.t) ?? 0 };
    default:
      return undefined;
  }
}

export function encode(message: ToServer): string {
  return JSON.stringify({ v: version, ...message });
}

import { backoff } from './backoff';
import { encode, parseMessage, type FromServer, type ToServer } from './protocol';

/** What this module needs of a WebSocket. */
export interface SocketLike {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

export type Joined = Extract<FromServer, { type: 'joined' }>;

/** Why signaling is over for good. */
export type End =
  | { why: 'bye'; reason: string }
  | { why: 'refused'; code: string; message: string }
  | { why: 'unreachable' };

export interface SignalingOptions {
  socket: () => SocketLike;
  /** The fields of the join message, but for the resume token. */
  join: () => { key?: string; client: string; session?: object };
  onJoined: (joined: Joined) => void;
  /** Everything but joined, bye, pong and fatal errors. */
  onMessage: (message: FromServer) => void;
  /** The socket is gone; the next try is in `retryMs`. */
  onLost: (retryMs: number) => void;
  onEnd: (end: End) => void;
  random?: () => number;
}

const open = 1; // WebSocket.OPEN
const joinTimeoutMs = 8_000;
const pingEveryMs = 5_000;
const silenceMs = 12_000;
const firstTries = 4;
const giveUpMs = 120_000;

/**
 * The signaling socket: joins, resumes after a loss with a growing wait,
 * notices a socket that has gone silent, and says when it is over. It knows
 * nothing of peer connections.
 */
export class Signaling {
  readonly #options: SignalingOptions;
  #socket: SocketLike | undefined;
  #resume = '';
  #joined = false;
  #everJoined = false;
  #attempt = 0;
  #lostAt = 0;
  #lastHeard = 0;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(options: SignalingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#lostAt = Date.now();
    this.#open();
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** Sends if joined; false if the message could not be sent. */
  send(message: ToServer): boolean {
    if (!this.#joined || this.#socket?.readyState !== open) return false;
    this.#socket.send(encode(message));
    return true;
  }

  /** Tries again now, without waiting for the timer: the network came back. */
  retryNow(): void {
    if (this.#ended || this.#socket) return;
    this.#open();
  }

  /** Treats the socket as dead and resumes on a new one. */
  reconnect(): void {
    if (!this.#ended) this.#lost();
  }

  /** Says goodbye and ends; onEnd is not called. */
  stop(): void {
    this.send({ type: 'bye' });
    this.#finish();
  }

  #open(): void {
    clearTimeout(this.#timer);
    let socket: SocketLike;
    try {
      socket = this.#options.socket();
    } catch {
      this.#lost();
      return;
    }
    this.#socket = socket;
    const current = (): boolean => this.#socket === socket && !this.#ended;
    socket.onopen = () => {
      if (!current()) return;
      const resume = this.#resume === '' ? {} : { resume: this.#resume };
      socket.send(encode({ type: 'join', ...this.#options.join(), ...resume }));
    };
    socket.onmessage = (event) => {
      if (current()) this.#receive(event.data);
    };
    socket.onclose = () => {
      if (current()) this.#lost();
    };
    this.#timer = setTimeout(() => this.#lost(), joinTimeoutMs);
  }

  #receive(data: unknown): void {
    this.#lastHeard = Date.now();
    const message = typeof data === 'string' ? parseMessage(data) : undefined;
    if (!message || message.type === 'pong') return;
    if (message.type === 'joined') {
      this.#onJoined(message);
    } else if (message.type === 'bye') {
      this.#end({ why: 'bye', reason: message.reason });
    } else if (message.type === 'error' && message.fatal) {
      this.#end({ why: 'refused', code: message.code, message: message.message });
    } else {
      if (message.type === 'error' && message.code === 'resume_expired') this.#resume = '';
      this.#options.onMessage(message);
    }
  }

  #onJoined(joined: Joined): void {
    clearTimeout(this.#timer);
    this.#resume = joined.resume;
    this.#joined = true;
    this.#everJoined = true;
    this.#attempt = 0;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.#beat(), pingEveryMs);
    this.#options.onJoined(joined);
  }

  #beat(): void {
    const silent = Date.now() - this.#lastHeard;
    if (silent >= silenceMs) this.#lost();
    else this.send({ type: 'ping', t: Date.now() });
  }

  #lost(): void {
    if (this.#joined) this.#lostAt = Date.now();
    this.#drop();
    const hopeless = this.#everJoined ? Date.now() - this.#lostAt > giveUpMs : this.#attempt + 1 >= firstTries;
    if (hopeless) {
      this.#end({ why: 'unreachable' });
      return;
    }
    const wait = backoff(this.#attempt, (this.#options.random ?? Math.random)());
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#open(), wait);
    this.#options.onLost(wait);
  }

  /** Lets go of the socket and of every timer. */
  #drop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#joined = false;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #finish(): void {
    this.#ended = true;
    this.#drop();
  }

  #end(end: End): void {
    this.#finish();
    this.#options.onEnd(end);
  }
}

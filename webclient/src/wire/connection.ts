import { Peer } from './peer';
import { parseEvent, type FromServer, type IceServer, type WireEvent } from './protocol';
import { Signaling, type End, type Joined, type SocketLike } from './signaling';

export type Via = 'channel' | 'socket';

export type ConnectionState =
  | { phase: 'connecting' }
  | { phase: 'live'; audio: boolean }
  | { phase: 'reconnecting'; cause: 'socket' | 'media'; retryMs: number }
  | { phase: 'over'; end: End };

export interface ConnectionOptions {
  socket: () => SocketLike;
  peer: (configuration: RTCConfiguration) => RTCPeerConnection;
  join: () => { key?: string; client: string; session?: object };
  canSend: boolean;
  onState: (state: ConnectionState) => void;
  /** `kept` tells that the peer connection outlived the socket: no event was missed. */
  onJoined: (joined: Joined, kept: boolean) => void;
  onEvent: (event: WireEvent, via: Via) => void;
  onSent: (event: WireEvent, via: Via) => void;
  onRemote: (stream: MediaStream) => void;
  /** A refusal that does not end the call. */
  onRefused: (code: string, message: string) => void;
  random?: () => number;
}

const answerTimeoutMs = 8_000;
const graceMs = 2_500; // ICE often mends 'disconnected' by itself
const connectTimeoutMs = 6_000;
const mostRestarts = 3;
const rememberedEvents = 256;

/**
 * A call as the network sees it: the signaling socket, the peer connection and
 * the choice between data channel and socket for events. It mends both: a lost
 * socket is resumed and a lost path gets an ICE restart, then a new peer.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #signaling: Signaling;
  #peer: Peer | undefined;
  #track: MediaStreamTrack | null = null;
  #iceServers: IceServer[] = [];
  #seen = new Set<string>();
  #awaitingAnswer = false;
  #offerAgain = false;
  #restarts = 0;
  #everLive = false;
  #closed = false;
  #answerTimer: ReturnType<typeof setTimeout> | undefined;
  #mediaTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#signaling = new Signaling({
      socket: options.socket,
      join: options.join,
      onJoined: (joined) => this.#joined(joined),
      onMessage: (message) => this.#message(message),
      onLost: (retryMs) => this.#socketLost(retryMs),
      onEnd: (end) => this.#over(end),
      ...(options.random ? { random: options.random } : {}),
    });
  }

  start(): void {
    this.#options.onState({ phase: 'connecting' });
    this.#signaling.start();
  }

  get peer(): RTCPeerConnection | undefined {
    return this.#peer?.pc;
  }

  async setTrack(track: MediaStreamTrack | null): Promise<void> {
    this.#track = track;
    await this.#peer?.setTrack(track);
  }

  /** Sends an event by the data channel or, while that is shut, by the socket. */
  send(event: WireEvent): boolean {
    if (this.#peer?.send(JSON.stringify(event))) {
      this.#options.onSent(event, 'channel');
      return true;
    }
    if (!this.#signaling.send({ type: 'event', event })) return false;
    this.#options.onSent(event, 'socket');
    return true;
  }

  /** The browser says that the network is back. */
  networkBack(): void {
    this.#signaling.retryNow();
  }

  /** Hangs up. */
  close(): void {
    this.#signaling.stop();
    this.#shut();
  }

  #joined(joined: Joined): void {
    if (joined.iceServers.length > 0) this.#iceServers = joined.iceServers;
    this.#settled();
    const state = this.#peer?.state;
    const keep = joined.resumed && (state === 'connected' || state === 'disconnected' || state === 'connecting');
    this.#options.onJoined(joined, keep);
    if (!keep) this.#newPeer();
    void this.#negotiate(keep);
  }

  #newPeer(): void {
    this.#peer?.close();
    this.#settled();
    this.#restarts = 0;
    const peer: Peer = new Peer({
      pc: this.#options.peer({ iceServers: this.#iceServers, bundlePolicy: 'max-bundle' }),
      canSend: this.#options.canSend,
      track: this.#track,
      onCandidate: (candidate) => void this.#signaling.send({ type: 'candidate', candidate }),
      onState: (state) => {
        if (this.#peer === peer) this.#mediaState(state);
      },
      onRemote: (stream) => this.#options.onRemote(stream),
      onEvent: (json) => {
        const event = parseEvent(json);
        if (event) this.#receive(event, 'channel');
      },
    });
    this.#peer = peer;
  }

  /** One offer at a time: the next waits for the answer to the one before. */
  async #negotiate(restart: boolean): Promise<void> {
    if (this.#awaitingAnswer) {
      this.#offerAgain = true;
      return;
    }
    const peer = this.#peer;
    if (!peer || this.#closed) return;
    this.#awaitingAnswer = true;
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#signaling.reconnect(), answerTimeoutMs);
    this.#watchMedia(connectTimeoutMs);
    const sdp = await peer.offer(restart).catch(() => '');
    if (this.#peer !== peer || this.#closed) return;
    if (sdp !== '' && this.#signaling.send({ type: 'offer', sdp })) peer.offerSent();
  }

  #settled(): void {
    clearTimeout(this.#answerTimer);
    this.#awaitingAnswer = false;
    this.#offerAgain = false;
  }

  #message(message: FromServer): void {
    switch (message.type) {
      case 'answer':
        void this.#answered(message.sdp);
        break;
      case 'candidate':
        void this.#peer?.candidate(message.candidate);
        break;
      case 'event':
        this.#receive(message.event, 'socket');
        break;
      case 'error':
        this.#options.onRefused(message.code, message.message);
        break;
    }
  }

  async #answered(sdp: string): Promise<void> {
    const again = this.#offerAgain;
    this.#settled();
    try {
      await this.#peer?.answer(sdp);
    } catch {
      this.#mediaState('failed');
      return;
    }
    if (again) await this.#negotiate(true);
    else this.#announce();
  }

  /** The same event may come by both ways while the channel opens; it counts once. */
  #receive(event: WireEvent, via: Via): void {
    const id = event.event_id;
    if (id !== undefined) {
      if (this.#seen.has(id)) return;
      this.#seen.add(id);
      if (this.#seen.size > rememberedEvents) {
        const [oldest] = this.#seen;
        if (oldest !== undefined) this.#seen.delete(oldest);
      }
    }
    this.#options.onEvent(event, via);
  }

  #mediaState(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      clearTimeout(this.#mediaTimer);
      this.#restarts = 0;
      this.#announce();
    } else if (state === 'disconnected') {
      this.#watchMedia(graceMs);
    } else if (state === 'failed') {
      this.#mendMedia();
    }
  }

  #watchMedia(ms: number): void {
    clearTimeout(this.#mediaTimer);
    this.#mediaTimer = setTimeout(() => {
      if (this.#peer?.state !== 'connected') this.#mendMedia();
    }, ms);
  }

  /** Restarts ICE; then tries a new peer; then goes on without audio, by text. */
  #mendMedia(): void {
    clearTimeout(this.#mediaTimer);
    if (!this.#signaling.joined || this.#closed) return; // resuming the socket offers anyway
    if (this.#awaitingAnswer) {
      this.#offerAgain = true;
      return;
    }
    this.#restarts += 1;
    const tries = this.#restarts;
    if (tries > mostRestarts) {
      this.#options.onState({ phase: 'live', audio: false });
      return;
    }
    this.#options.onState(this.#everLive ? { phase: 'reconnecting', cause: 'media', retryMs: 0 } : { phase: 'connecting' });
    if (tries === mostRestarts) {
      this.#newPeer();
      this.#restarts = tries;
      void this.#negotiate(false);
    } else {
      void this.#negotiate(true);
    }
  }

  #announce(): void {
    if (!this.#signaling.joined || this.#peer?.state !== 'connected') return;
    this.#everLive = true;
    this.#options.onState({ phase: 'live', audio: true });
  }

  #socketLost(retryMs: number): void {
    this.#settled();
    this.#options.onState(this.#everLive ? { phase: 'reconnecting', cause: 'socket', retryMs } : { phase: 'connecting' });
  }

  #over(end: End): void {
    this.#shut();
    this.#options.onState({ phase: 'over', end });
  }

  #shut(): void {
    this.#closed = true;
    this.#settled();
    clearTimeout(this.#mediaTimer);
    this.#peer?.close();
    this.#peer = undefined;
  }
}

import type { SocketLike } from './signaling';

type Message = Record<string, unknown>;

/** A WebSocket in the hands of a test. */
export class FakeSocket implements SocketLike {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  closed = false;
  readonly sent: Message[] = [];

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Message);
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.({} as Event);
  }

  receive(message: Message): void {
    this.onmessage?.({ data: JSON.stringify({ v: 1, ...message }) } as MessageEvent);
  }

  /** Opens and joins. */
  join(resume = 't1', resumed = false): void {
    this.open();
    this.receive({ type: 'joined', call: 'c1', resume, resumed, resume_window_ms: 30_000, ice_servers: [{ urls: 'stun:x' }] });
  }

  /** The line goes dead. */
  drop(): void {
    this.readyState = 3;
    this.onclose?.({} as CloseEvent);
  }

  of(type: string): Message[] {
    return this.sent.filter((m) => m.type === type);
  }
}

/** An RTCPeerConnection in the hands of a test; only what Peer uses. */
export class FakePeerConnection {
  connectionState: RTCPeerConnectionState = 'new';
  localDescription: RTCSessionDescriptionInit | null = null;
  onicecandidate: ((event: { candidate: Partial<RTCIceCandidate> | null }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((event: unknown) => void) | null = null;
  readonly offers: boolean[] = [];
  readonly answers: string[] = [];
  readonly candidates: unknown[] = [];
  readonly tracks: unknown[] = [];
  readonly channel = {
    label: '',
    readyState: 'connecting',
    sent: [] as Message[],
    onmessage: null as ((event: { data: unknown }) => void) | null,
    send: (json: string): void => {
      this.channel.sent.push(JSON.parse(json) as Message);
    },
  };
  direction = '';
  closed = false;
  refuseAnswer = false;

  constructor(readonly configuration: RTCConfiguration = {}) {}

  addTransceiver(track: unknown, init: { direction: string }): unknown {
    this.direction = init.direction;
    this.tracks.push(track);
    return { sender: { replaceTrack: async (t: unknown) => void this.tracks.push(t) } };
  }

  createDataChannel(label: string): unknown {
    this.channel.label = label;
    return this.channel;
  }

  async createOffer(options: { iceRestart: boolean }): Promise<RTCSessionDescriptionInit> {
    this.offers.push(options.iceRestart);
    return { type: 'offer', sdp: `offer ${this.offers.length}` };
  }

  async setLocalDescription(description: RTCSessionDescriptionInit): Promise<void> {
    this.localDescription = description;
  }

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (this.refuseAnswer) throw new Error('bad answer');
    this.answers.push(description.sdp ?? '');
  }

  async addIceCandidate(candidate?: unknown): Promise<void> {
    this.candidates.push(candidate);
    if ((candidate as { candidate?: string } | undefined)?.candidate === 'broken') throw new Error('unusable');
  }

  close(): void {
    this.closed = true;
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    if (state === 'connected') this.channel.readyState = 'open';
    this.onconnectionstatechange?.();
  }

  asPeerConnection(): RTCPeerConnection {
    return this as unknown as RTCPeerConnection;
  }
}

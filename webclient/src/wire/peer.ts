import type { Candidate } from './protocol';

/** Receivers of current browsers have this; TypeScript's DOM library does not yet. */
type TunableReceiver = RTCRtpReceiver & { jitterBufferTarget?: number | null };

/** Playout delay asked of the browser, ms: it may hold more where the network demands it. */
const jitterBufferTargetMs = 20;

/** The most local candidates kept until the offer they belong to is out. */
const heldCandidates = 64;

export interface PeerOptions {
  pc: RTCPeerConnection;
  /** False where the browser offers no microphone at all: the call listens only. */
  canSend: boolean;
  track: MediaStreamTrack | null;
  onCandidate: (candidate: Candidate | null) => void;
  onState: (state: RTCPeerConnectionState) => void;
  onRemote: (stream: MediaStream) => void;
  onEvent: (json: string) => void;
}

/**
 * One RTCPeerConnection with its audio and its data channel `oai-events`. The
 * page always offers. A sending transceiver is made even without a track, so
 * that a microphone granted late needs no new negotiation.
 */
export class Peer {
  readonly pc: RTCPeerConnection;
  readonly #options: PeerOptions;
  readonly #channel: RTCDataChannel;
  readonly #transceiver: RTCRtpTransceiver;
  #outgoing: (Candidate | null)[] | undefined = [];
  #incoming: (Candidate | null)[] = [];
  #described = false;
  #closed = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.pc = options.pc;
    this.#transceiver = this.pc.addTransceiver(options.track ?? 'audio', { direction: options.canSend ? 'sendrecv' : 'recvonly' });
    this.#channel = this.pc.createDataChannel('oai-events');
    this.#channel.onmessage = (event) => {
      if (typeof event.data === 'string') options.onEvent(event.data);
    };
    this.pc.onicecandidate = ({ candidate }) => this.#localCandidate(candidate);
    this.pc.onconnectionstatechange = () => {
      if (!this.#closed) options.onState(this.pc.connectionState);
    };
    this.pc.ontrack = ({ streams, track, receiver }) => {
      const tunable: TunableReceiver = receiver;
      if ('jitterBufferTarget' in tunable) tunable.jitterBufferTarget = jitterBufferTargetMs;
      options.onRemote(streams[0] ?? new MediaStream([track]));
    };
  }

  get state(): RTCPeerConnectionState {
    return this.#closed ? 'closed' : this.pc.connectionState;
  }

  /** Makes an offer; with `restart`, one that starts ICE over. */
  async offer(restart: boolean): Promise<string> {
    this.#outgoing = [];
    this.#described = false;
    const offer = await this.pc.createOffer({ iceRestart: restart });
    await this.pc.setLocalDescription(offer);
    return this.pc.localDescription?.sdp ?? offer.sdp ?? '';
  }

  /** The offer is out: candidates may follow it. */
  offerSent(): void {
    const held = this.#outgoing ?? [];
    this.#outgoing = undefined;
    held.forEach(this.#options.onCandidate);
  }

  async answer(sdp: string): Promise<void> {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    this.#described = true;
    const waiting = this.#incoming;
    this.#incoming = [];
    for (const candidate of waiting) await this.#add(candidate);
  }

  async candidate(candidate: Candidate | null): Promise<void> {
    if (this.#described) await this.#add(candidate);
    else if (this.#incoming.length < heldCandidates) this.#incoming.push(candidate);
  }

  async setTrack(track: MediaStreamTrack | null): Promise<void> {
    if (!this.#closed) await this.#transceiver.sender.replaceTrack(track);
  }

  /** Sends an event over the data channel; false while it is not open. */
  send(json: string): boolean {
    if (this.#channel.readyState !== 'open') return false;
    this.#channel.send(json);
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#channel.onmessage = null;
    this.pc.onicecandidate = this.pc.onconnectionstatechange = this.pc.ontrack = null;
    this.pc.close();
  }

  #localCandidate(candidate: RTCIceCandidate | null): void {
    const wire = candidate && { candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex };
    if (!this.#outgoing) this.#options.onCandidate(wire);
    else if (this.#outgoing.length < heldCandidates) this.#outgoing.push(wire);
  }

  /** A candidate that cannot be used costs nothing: others may work. */
  async #add(candidate: Candidate | null): Promise<void> {
    try {
      await this.pc.addIceCandidate(candidate ?? undefined);
    } catch {
      return;
    }
  }
}

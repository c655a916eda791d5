import { isProblem, type Microphone, type MicState } from '../audio/microphone';
import type { Sound } from '../audio/sound';
import { addNote, atRest, callLost, empty, reduce, talkStarted, talkStopped, textSent, unsure } from '../state/conversation';
import { addEntry } from '../state/eventlog';
import { endTrouble, goodbye, keyNeeded, keyWrong, micTrouble, noAudioPath, unsupported } from '../state/problems';
import type { Mode, Settings } from '../state/settings';
import type { ConfigAnswer } from '../wire/config';
import type { Connection, ConnectionOptions, ConnectionState, Via } from '../wire/connection';
import type { WireEvent } from '../wire/protocol';
import type { End, Joined } from '../wire/signaling';
import type { Store } from './store';
import type { WakeLock } from './wakelock';

type Line = Pick<Connection, 'start' | 'close' | 'send' | 'setTrack' | 'networkBack' | 'peer'>;
type Hooks = Omit<ConnectionOptions, 'socket' | 'peer' | 'random'>;

export interface ControllerOptions {
  store: Store;
  microphone: (on: { state: (s: MicState) => void; track: (t: MediaStreamTrack | null) => void }) => Microphone;
  sound: Sound;
  wakeLock: WakeLock;
  /** undefined where the browser has no WebRTC. */
  connect: ((hooks: Hooks) => Line) | undefined;
  fetchConfig: (key: string) => Promise<ConfigAnswer>;
  key: { load: () => string; save: (key: string) => void };
  saveSettings: (settings: Settings) => void;
}

const client = 'parley-web/1';
const longestText = 4000;
const settleMs = 15_000;

/**
 * What the caller can do, turned into messages, and what arrives, turned into
 * the store. It owns the call: connection, microphone and sound.
 */
export class Controller {
  readonly #o: ControllerOptions;
  readonly #store: Store;
  readonly #mic: Microphone;
  #line: Line | undefined;
  #unsent = '';
  #stopOwed = false;
  #joins = 0;
  #events = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ControllerOptions) {
    this.#o = options;
    this.#store = options.store;
    this.#mic = options.microphone({
      state: (state) => this.#micState(state),
      track: (track) => void this.#line?.setTrack(track),
    });
  }

  get peer(): RTCPeerConnection | undefined {
    return this.#line?.peer;
  }

  get inCall(): boolean {
    return this.#line !== undefined;
  }

  /** Asks the server what it is; done once at the start and after a new key. */
  async loadConfig(): Promise<void> {
    const key = this.#o.key.load();
    const answer = await this.#o.fetchConfig(key);
    if (answer.kind === 'ok') {
      this.#store.config.value = answer.config;
      if (this.#store.problem.value?.remedy === 'key') this.#store.problem.value = undefined;
    } else if (answer.kind === 'key') {
      this.#store.problem.value = key === '' ? keyNeeded : keyWrong;
    }
  }

  /** Takes the key that the caller typed; true if the server took it too. */
  async submitKey(key: string): Promise<boolean> {
    this.#o.key.save(key.trim());
    await this.loadConfig();
    const taken = this.#store.problem.value?.remedy !== 'key';
    if (taken && this.#store.phase.value === 'error') this.#store.phase.value = 'idle';
    return taken;
  }

  /** Starts a call or hangs up. */
  toggleCall(): void {
    if (this.#line) this.hangUp();
    else this.call(!this.#store.settings.value.listenOnly);
  }

  call(withMic: boolean): void {
    const store = this.#store;
    if (this.#line) return;
    if (!this.#o.connect) {
      store.problem.value = unsupported;
      store.phase.value = 'error';
      return;
    }
    store.conversation.value = empty;
    store.problem.value = undefined;
    store.ending.value = '';
    store.phase.value = 'connecting';
    this.#joins = 0;
    this.#line = this.#o.connect({
      canSend: this.#mic.available,
      join: () => this.#join(),
      onState: (state) => this.#connectionState(state),
      onJoined: (joined, kept) => this.#joined(joined, kept),
      onEvent: (event, via) => this.#receive(event, via),
      onSent: (event, via) => this.#log('out', event, via),
      onRemote: (stream) => this.#o.sound.remoteStream(stream),
      onRefused: (code, message) => {
        if (code !== 'resume_expired') this.#note(message || code, true);
      },
    });
    this.#line.start();
    this.#o.sound.start(); // after the line: opening the audio device takes longer than joining
    void this.#o.wakeLock.hold();
    if (withMic) void this.openMic();
  }

  hangUp(): void {
    this.#line?.close();
    this.#over('ended', '');
  }

  async openMic(): Promise<void> {
    await this.#mic.open(this.#store.settings.value.microphone);
  }

  toggleMute(): void {
    if (this.#store.mic.value !== 'on') {
      void this.openMic();
      return;
    }
    if (this.#store.talking.value) this.talkStop();
    this.#store.muted.value = !this.#store.muted.value;
    this.#mic.mute(this.#store.muted.value);
  }

  talkStart(): void {
    const store = this.#store;
    if (store.talking.value || store.phase.value !== 'live' || store.settings.value.mode !== 'push-to-talk') return;
    if (store.opening.value || isProblem(store.mic.value)) return;
    if (store.mic.value !== 'on') {
      store.opening.value = true; // what is said counts from the moment the microphone is open
      if (store.mic.value === 'off') void this.openMic();
      return;
    }
    if (store.muted.value || !this.#send({ type: 'parley.talk.start' })) return;
    if (store.conversation.value.playing !== '') this.#o.sound.speaker.hush();
    store.talking.value = true;
    store.conversation.value = talkStarted(store.conversation.value);
  }

  talkStop(): void {
    const store = this.#store;
    store.opening.value = false;
    if (!store.talking.value) return;
    store.talking.value = false;
    store.conversation.value = talkStopped(store.conversation.value);
    this.#stopOwed = !this.#send({ type: 'parley.talk.stop' });
    this.#watchSettle();
  }

  /** Writes to the assistant; false if it could not be sent and should stay in the box. */
  sendText(words: string): boolean {
    const store = this.#store;
    const message = words.trim().slice(0, longestText);
    if (message === '' || store.phase.value === 'reconnecting') return false;
    if (store.phase.value !== 'live') {
      if (this.#unsent !== '') return false;
      this.#unsent = message;
      this.call(false);
      return this.#line !== undefined;
    }
    this.stopReply();
    const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: message }] };
    if (!this.#send({ type: 'conversation.item.create', item })) return false;
    store.conversation.value = textSent(store.conversation.value);
    this.#send({ type: 'response.create' });
    this.#watchSettle();
    return true;
  }

  /** Stops the reply that is being made or played. */
  stopReply(): void {
    const { responding, playing } = this.#store.conversation.value;
    if (responding !== '') this.#send({ type: 'response.cancel' });
    if (playing === '') return;
    this.#o.sound.speaker.hush();
    this.#send({ type: 'output_audio_buffer.clear' });
  }

  setMode(mode: Mode): void {
    if (mode === this.#store.settings.value.mode) return;
    this.talkStop();
    this.set({ mode });
    if (this.#line) this.#send({ type: 'session.update', session: this.#session() });
  }

  chooseMic(id: string, listenOnly: boolean): void {
    this.set({ microphone: id, listenOnly });
    if (!this.#line) return;
    if (listenOnly) this.#mic.close();
    else void this.openMic();
  }

  async chooseSpeaker(id: string): Promise<void> {
    if (await this.#o.sound.speaker.choose(id)) this.set({ speaker: id });
  }

  setVolume(volume: number): void {
    this.#o.sound.speaker.setVolume(volume);
    this.set({ volume });
  }

  set(change: Partial<Settings>): void {
    this.#store.settings.value = { ...this.#store.settings.value, ...change };
    this.#o.saveSettings(this.#store.settings.value);
  }

  /** The click that the browser wanted before it plays. */
  enableSound(): void {
    this.#o.sound.resume();
  }

  dismiss(): void {
    this.#store.problem.value = undefined;
  }

  /** Browsers drop the wake lock of a hidden page. */
  pageVisible(): void {
    void this.#o.wakeLock.visible();
  }

  networkBack(): void {
    this.#line?.networkBack();
  }

  #join(): { key?: string; client: string; session: object } {
    const key = this.#o.key.load();
    return { client, session: this.#session(), ...(key === '' ? {} : { key }) };
  }

  #session(): object {
    const handsFree = this.#store.settings.value.mode === 'hands-free';
    const detection = handsFree ? (this.#store.config.value?.turnDetection ?? { type: 'server_vad' }) : null;
    return { type: 'realtime', audio: { input: { turn_detection: detection } } };
  }

  #joined(joined: Joined, kept: boolean): void {
    this.#joins += 1;
    this.#store.conversation.value = { ...this.#store.conversation.value, call: joined.call };
    if (this.#joins === 1 || kept) return;
    this.#store.conversation.value = unsure(this.#store.conversation.value);
    if (!joined.resumed) this.#store.conversation.value = callLost(this.#store.conversation.value);
  }

  #connectionState(state: ConnectionState): void {
    const store = this.#store;
    switch (state.phase) {
      case 'connecting':
        store.phase.value = 'connecting';
        break;
      case 'reconnecting':
        this.talkStop();
        store.retryAt.value = Date.now() + state.retryMs;
        store.phase.value = 'reconnecting';
        break;
      case 'live':
        store.phase.value = 'live';
        if (!state.audio) store.problem.value = noAudioPath;
        else if (store.problem.value === noAudioPath) store.problem.value = undefined;
        this.#catchUp();
        break;
      case 'over':
        this.#ended(state.end);
        break;
    }
  }

  /** Sends what could not be sent before. */
  #catchUp(): void {
    if (this.#stopOwed) this.#stopOwed = !this.#send({ type: 'parley.talk.stop' });
    const words = this.#unsent;
    this.#unsent = '';
    if (words !== '') this.sendText(words);
  }

  #ended(end: End): void {
    const trouble = endTrouble(end);
    if (trouble) {
      this.#over('error', '');
      this.#store.problem.value = trouble === keyWrong && this.#o.key.load() === '' ? keyNeeded : trouble;
    } else {
      this.#over('ended', end.why === 'bye' ? goodbye(end.reason) : '');
    }
  }

  #over(phase: 'ended' | 'error', words: string): void {
    const store = this.#store;
    this.#line = undefined;
    this.#unsent = '';
    this.#stopOwed = false;
    clearTimeout(this.#settle);
    this.#mic.close();
    this.#mic.mute(false);
    this.#o.sound.stop();
    void this.#o.wakeLock.release();
    store.muted.value = false;
    store.talking.value = false;
    store.opening.value = false;
    store.quality.value = undefined;
    store.problem.value = undefined;
    store.conversation.value = atRest(store.conversation.value);
    store.ending.value = words;
    store.phase.value = phase;
  }

  #micState(state: MicState): void {
    const store = this.#store;
    const before = store.mic.value;
    store.mic.value = state;
    this.#o.sound.micStream(this.#mic.stream);
    const held = store.opening.value;
    if (state !== 'asking') store.opening.value = false;
    if (isProblem(state)) {
      store.problem.value = micTrouble(state);
    } else if (state === 'on' && before !== 'on' && store.problem.value?.remedy === 'microphone') {
      store.problem.value = undefined;
    }
    if (state === 'on' && held) this.talkStart();
  }

  #receive(event: WireEvent, via: Via): void {
    const store = this.#store;
    this.#log('in', event, via);
    store.conversation.value = reduce(store.conversation.value, event);
    if (event.type === 'output_audio_buffer.started') {
      this.#o.sound.speaker.unhush();
      this.#o.sound.firstAudible((delay) => this.#send({ type: 'parley.playback.heard', response_id: event.response_id, delay_ms: delay }));
    } else if (event.type === 'output_audio_buffer.cleared') {
      this.#o.sound.speaker.hush();
    } else if (event.type === 'input_audio_buffer.speech_stopped') {
      this.#watchSettle();
    }
  }

  /** Should the server never say what became of a turn, the page does not think for ever. */
  #watchSettle(): void {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      this.#store.conversation.value = { ...this.#store.conversation.value, awaiting: false };
    }, settleMs);
  }

  #note(words: string, failed: boolean): void {
    this.#store.conversation.value = addNote(this.#store.conversation.value, words, failed);
  }

  #send(event: WireEvent): boolean {
    this.#events += 1;
    return this.#line?.send({ event_id: `web_${this.#events}`, ...event }) ?? false;
  }

  #log(direction: 'in' | 'out', event: WireEvent, via: Via): void {
    this.#store.log.value = addEntry(this.#store.log.value, { at: performance.now(), direction, via, event });
  }
}

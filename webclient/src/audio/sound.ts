import { Meter } from './meter';
import { onset } from './onset';
import type { Speaker } from './speaker';

/** Loudness of both ends of the line, RMS, 0 to 1. */
export interface Levels {
  mic: number;
  reply: number;
}

/** All sound of a call: the speaker, and the meters on both ends. */
export class Sound {
  readonly speaker: Speaker;
  readonly #newContext: () => AudioContext | undefined;
  #context: AudioContext | undefined;
  #mic: Meter | undefined;
  #reply: Meter | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(speaker: Speaker, newContext: () => AudioContext | undefined) {
    this.speaker = speaker;
    this.#newContext = newContext;
  }

  /** To be called from a click, or the browser keeps the meters asleep. */
  start(): void {
    if (!this.#context) {
      this.#context = this.#newContext();
      if (!this.#context) return;
      this.#mic = new Meter(this.#context);
      this.#reply = new Meter(this.#context);
    }
    void this.#context.resume();
  }

  micStream(stream: MediaStream | undefined): void {
    this.#mic?.watch(stream);
  }

  remoteStream(stream: MediaStream): void {
    this.#reply?.watch(stream);
    void this.speaker.play(stream);
  }

  /** Plays on after the browser had asked for a click. */
  resume(): void {
    this.start();
    void this.speaker.resume();
  }

  levels(): Levels {
    return { mic: this.#mic?.read() ?? 0, reply: this.#reply?.read() ?? 0 };
  }

  /**
   * Waits for the first audible sample of a reply and tells how long it took,
   * ms. Says nothing where it cannot know: a sleeping audio context, a hidden page.
   */
  firstAudible(found: (delayMs: number) => void): void {
    this.#stopWaiting?.();
    const reply = this.#reply;
    if (!reply || this.#context?.state !== 'running' || document.visibilityState !== 'visible') return;
    this.#stopWaiting = onset(() => reply.read(), found);
  }

  stop(): void {
    this.#stopWaiting?.();
    this.#mic?.watch(undefined);
    this.#reply?.watch(undefined);
    this.speaker.stop();
    void this.#context?.suspend();
  }
}

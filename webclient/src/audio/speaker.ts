/** What this module needs of an audio element. */
export interface AudioLike {
  srcObject: MediaProvider | null;
  volume: number;
  muted: boolean;
  play(): Promise<void>;
  setSinkId?: (id: string) => Promise<void>;
}

/** What is left in the browser's jitter buffer after a flush has drained by then. */
const hushMs = 250;

/** Plays the other side: where, how loud, and not at all for a moment after an interruption. */
export class Speaker {
  readonly #element: AudioLike;
  readonly #onBlocked: (blocked: boolean) => void;
  #hushTimer: ReturnType<typeof setTimeout> | undefined;

  /** `onBlocked` tells whether the browser waits for a click before it plays. */
  constructor(element: AudioLike, onBlocked: (blocked: boolean) => void) {
    this.#element = element;
    this.#onBlocked = onBlocked;
  }

  get canChoose(): boolean {
    return typeof this.#element.setSinkId === 'function';
  }

  async play(stream: MediaStream): Promise<void> {
    this.#element.srcObject = stream;
    await this.resume();
  }

  /** Plays on; to be called from a click when the browser had blocked it. */
  async resume(): Promise<void> {
    if (!this.#element.srcObject) return;
    try {
      await this.#element.play();
      this.#onBlocked(false);
    } catch (error) {
      if (error instanceof Error && error.name === 'NotAllowedError') this.#onBlocked(true);
    }
  }

  setVolume(volume: number): void {
    this.#element.volume = Math.min(1, Math.max(0, volume));
  }

  /** False where the browser refused: the sound stays where it was. */
  async choose(deviceId: string): Promise<boolean> {
    if (!this.#element.setSinkId) return false;
    try {
      await this.#element.setSinkId(deviceId);
      return true;
    } catch {
      return false;
    }
  }

  /** Silences what the browser has already buffered of a reply that was cut off. */
  hush(): void {
    clearTimeout(this.#hushTimer);
    this.#element.muted = true;
    this.#hushTimer = setTimeout(() => this.unhush(), hushMs);
  }

  unhush(): void {
    clearTimeout(this.#hushTimer);
    this.#element.muted = false;
  }

  stop(): void {
    this.unhush();
    this.#element.srcObject = null;
    this.#onBlocked(false);
  }
}

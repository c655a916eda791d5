export type Mode = 'push-to-talk' | 'hands-free';
export type Theme = 'system' | 'light' | 'dark';

/** The caller's choices, kept between visits. */
export interface Settings {
  mode: Mode;
  theme: Theme;
  /** Device id; '' is the system's choice. */
  microphone: string;
  /** Join without a microphone: listen and type. */
  listenOnly: boolean;
  speaker: string;
  /** 0 to 1 */
  volume: number;
}

export const defaults: Settings = {
  mode: 'push-to-talk',
  theme: 'system',
  microphone: '',
  listenOnly: false,
  speaker: '',
  volume: 1,
};

const slot = 'parley.settings.1';

type StorageLike = Pick<Storage, 'getItem' | 'setItem'>;

function oneOf<T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T {
  return allowed.find((a) => a === value) ?? otherwise;
}

/** Reads what was kept; anything odd falls back to its default. */
export function loadSettings(storage: StorageLike | undefined): Settings {
  let raw: Partial<Record<keyof Settings, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(storage?.getItem(slot) ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) raw = parsed;
  } catch {
    raw = {};
  }
  const volume = typeof raw.volume === 'number' && raw.volume >= 0 && raw.volume <= 1 ? raw.volume : defaults.volume;
  return {
    mode: oneOf<Mode>(raw.mode, ['push-to-talk', 'hands-free'], defaults.mode),
    theme: oneOf<Theme>(raw.theme, ['system', 'light', 'dark'], defaults.theme),
    microphone: typeof raw.microphone === 'string' ? raw.microphone : '',
    listenOnly: raw.listenOnly === true,
    speaker: typeof raw.speaker === 'string' ? raw.speaker : '',
    volume,
  };
}

/** Keeps the choices; a browser that allows no storage forgets them. */
export function saveSettings(storage: StorageLike | undefined, settings: Settings): void {
  try {
    storage?.setItem(slot, JSON.stringify(settings));
  } catch {
    return;
  }
}

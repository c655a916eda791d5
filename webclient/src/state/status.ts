import { isProblem, type MicState } from '../audio/microphone';
import type { Mode } from './settings';
import type { Voice } from './conversation';

export type Phase = 'idle' | 'connecting' | 'live' | 'reconnecting' | 'ended' | 'error';

/** What the page shows: the state of the call or, while it is up, whose turn it is. */
export type Status = Exclude<Phase, 'live'> | Voice;

export function status(phase: Phase, voice: Voice): Status {
  return phase === 'live' ? voice : phase;
}

/** What the talk button says; `free` tells whether it can be pressed. */
export function talkWords(about: { talking: boolean; opening: boolean; muted: boolean; mic: MicState }): { words: string; free: boolean } {
  if (about.talking) return { words: 'Release to send', free: true };
  if (about.opening) return { words: 'Opening the microphone…', free: true };
  if (about.muted) return { words: 'Muted', free: false };
  if (about.mic === 'denied') return { words: 'Microphone not allowed', free: false };
  if (about.mic === 'busy') return { words: 'Microphone in use', free: false };
  if (isProblem(about.mic)) return { words: 'No microphone', free: false };
  return { words: 'Hold to talk', free: true };
}

/** The state in a caller's words. */
export function statusWords(s: Status, about: { mode: Mode; micOn: boolean; micAsking: boolean }): string {
  switch (s) {
    case 'idle':
      return 'Ready when you are';
    case 'connecting':
      return about.micAsking ? 'Allow the microphone to go on' : 'Connecting…';
    case 'listening':
      if (!about.micOn) return 'Write, and hear the answer';
      return about.mode === 'hands-free' ? 'Listening' : 'Hold to talk';
    case 'hearing':
      return 'Hearing you';
    case 'thinking':
      return 'Thinking';
    case 'speaking':
      return 'Speaking';
    case 'reconnecting':
      return 'Connection lost, retrying';
    case 'ended':
      return 'Call ended';
    case 'error':
      return 'No call';
  }
}

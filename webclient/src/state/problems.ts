import type { MicProblem } from '../audio/microphone';
import type { End } from '../wire/signaling';

/** What the page offers to do about a problem. */
export type Remedy = 'call' | 'microphone' | 'key' | 'sound' | 'none';

export interface Problem {
  /** Machine-readable: 'mic_denied', 'busy', 'key', … */
  code: string;
  title: string;
  text: string;
  remedy: Remedy;
}

const mic: Record<MicProblem, Problem> = {
  denied: {
    code: 'mic_denied',
    title: 'The microphone is blocked',
    text: 'The browser was told not to share it. Open the site settings beside the address, set Microphone to Allow, then try again. Until then you can write, and hear the answers.',
    remedy: 'microphone',
  },
  missing: {
    code: 'mic_missing',
    title: 'No microphone found',
    text: 'Plug one in or choose another under Sound, then try again. Until then you can write, and hear the answers.',
    remedy: 'microphone',
  },
  busy: {
    code: 'mic_busy',
    title: 'The microphone does not answer',
    text: 'Another program may be holding it. Close that, then try again. Until then you can write, and hear the answers.',
    remedy: 'microphone',
  },
  insecure: {
    code: 'insecure',
    title: 'No microphone on this address',
    text: 'Browsers share the microphone only with https pages and with localhost. Open parley over https, or as http://localhost on the machine it runs on. You can still call, write, and hear the answers.',
    remedy: 'none',
  },
};

export function micTrouble(problem: MicProblem): Problem {
  return mic[problem];
}

export const keyNeeded: Problem = {
  code: 'key',
  title: 'This server asks for a key',
  text: 'parley printed it when it started. It stays in this tab only.',
  remedy: 'key',
};

export const keyWrong: Problem = { ...keyNeeded, title: 'The server did not take that key' };

export const soundBlocked: Problem = {
  code: 'autoplay',
  title: 'The browser is holding back the sound',
  text: 'It plays nothing until you have clicked.',
  remedy: 'sound',
};

export const noAudioPath: Problem = {
  code: 'no_audio',
  title: 'Sound cannot get through',
  text: 'The server answers, but no audio path could be made: a firewall may block UDP and the fallback TCP port. You can go on by writing.',
  remedy: 'none',
};

export const unsupported: Problem = {
  code: 'unsupported',
  title: 'This browser cannot make calls',
  text: 'It has no WebRTC. A current Chrome, Edge, Firefox or Safari has.',
  remedy: 'none',
};

const goodbyes: Record<string, string> = {
  hang_up: '',
  shutdown: 'The server is shutting down.',
  lost: 'The connection was gone for too long.',
  replaced: 'The call goes on in another window.',
  idle: 'Nobody had spoken for a while.',
};

/** How a call that ended in good order is explained; '' needs no words. */
export function goodbye(reason: string): string {
  return goodbyes[reason] ?? `Reason: ${reason.replaceAll('_', ' ')}.`;
}

/** What to show when signaling is over; undefined for an ordinary goodbye. */
export function endTrouble(end: End): Problem | undefined {
  if (end.why === 'bye') return undefined;
  if (end.why === 'unreachable') {
    return { code: 'unreachable', title: 'The server does not answer', text: 'Is parley running, and is this machine online?', remedy: 'call' };
  }
  if (/unauth|api_key/.test(end.code)) return keyWrong;
  if (/busy|capacity|overload|too_many|rate/.test(end.code)) {
    return { code: 'busy', title: 'All lines are busy', text: end.message || 'The server has no room for another call. Try again in a moment.', remedy: 'call' };
  }
  return { code: end.code || 'refused', title: 'The call could not go on', text: end.message || 'The server gave no reason.', remedy: 'call' };
}

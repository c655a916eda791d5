import type { Via } from '../wire/connection';
import type { WireEvent } from '../wire/protocol';

export interface Entry {
  id: number;
  /** ms since the page was opened */
  at: number;
  direction: 'in' | 'out';
  via: Via;
  event: WireEvent;
}

const kept = 300;

/** Adds an entry; the oldest go beyond 300. */
export function addEntry(entries: readonly Entry[], entry: Omit<Entry, 'id'>): Entry[] {
  const id = (entries.at(-1)?.id ?? 0) + 1;
  return [...entries.slice(-(kept - 1)), { id, ...entry }];
}

/** The entries whose type or content holds every word of the query; deltas only if asked for. */
export function filterEntries(entries: readonly Entry[], query: string, deltas: boolean): Entry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => {
    if (!deltas && /(\.delta|\.partial|parley\.heard)$/.test(entry.event.type)) return false;
    if (words.length === 0) return true;
    const haystack = `${entry.direction} ${entry.via} ${JSON.stringify(entry.event)}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}

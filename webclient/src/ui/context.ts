import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Levels } from '../audio/sound';
import type { Controller } from '../call/controller';
import type { Store } from '../call/store';

/** What every component may use. */
export interface Kit {
  store: Store;
  controller: Controller;
  levels: () => Levels;
  canChooseSpeaker: boolean;
}

export const KitContext = createContext<Kit | undefined>(undefined);

export function useKit(): Kit {
  const kit = useContext(KitContext);
  if (!kit) throw new Error('no KitContext around this component');
  return kit;
}

import type { Controller } from './call/controller';
import type { Store } from './call/store';
import { spaceTalks } from './state/talkkey';

/** Binds what belongs to the page as a whole: the space bar, losing the focus, network and visibility. */
export function bindPage(store: Store, controller: Controller): void {
  let byPointer = false;
  let held = false;
  const release = (): void => {
    held = false;
    controller.talkStop();
  };

  addEventListener('pointerdown', () => (byPointer = true), true);
  addEventListener('keydown', (e) => {
    if (e.key === 'Tab') byPointer = false;
  }, true);

  addEventListener('keydown', (e) => {
    if (e.code !== 'Space' || e.ctrlKey || e.altKey || e.metaKey) return;
    if (held) {
      e.preventDefault();
      return;
    }
    const ready = store.phase.value === 'live' && store.settings.value.mode === 'push-to-talk';
    const target = document.activeElement ?? document.body;
    if (!ready || e.repeat || !spaceTalks(describe(target, byPointer))) return;
    e.preventDefault();
    held = true;
    controller.talkStart();
  });
  addEventListener('keydown', (e) => {
    if (e.key === 'Escape' && !e.defaultPrevented) controller.stopReply();
  });
  addEventListener('keyup', (e) => {
    if (e.code !== 'Space' || !held) return;
    e.preventDefault();
    release();
  });
  addEventListener('blur', release);
  addEventListener('online', () => controller.networkBack());
  addEventListener('pagehide', () => {
    if (controller.inCall) controller.hangUp();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') release();
    else controller.pageVisible();
  });
}

function describe(element: Element, byPointer: boolean): Parameters<typeof spaceTalks>[0] {
  return {
    tag: element.tagName,
    type: element instanceof HTMLInputElement ? element.type : '',
    editable: element instanceof HTMLElement && element.isContentEditable,
    byPointer,
    isTalkButton: element.id === 'talk-button',
  };
}

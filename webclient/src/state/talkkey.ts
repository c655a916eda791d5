/** What has to be known of the element that has the focus when the space bar goes down. */
export interface KeyTarget {
  tag: string;
  type: string;
  editable: boolean;
  /** The focus came by a click, not by the Tab key. */
  byPointer: boolean;
  isTalkButton: boolean;
}

const typing = new Set(['TEXTAREA', 'SELECT']);
const buttons = new Set(['BUTTON', 'SUMMARY', 'A', 'INPUT']);
const pressable = new Set(['button', 'submit', 'checkbox', 'radio', 'range']);

/**
 * Whether the space bar means "talk": never while typing, and never where a
 * keyboard user has put the focus on another control, whose own key it is. A
 * control that was merely clicked does not hold the key back.
 */
export function spaceTalks(target: KeyTarget): boolean {
  if (target.isTalkButton) return true;
  if (target.editable || typing.has(target.tag)) return false;
  if (target.tag === 'INPUT' && !pressable.has(target.type)) return false;
  return !buttons.has(target.tag) || target.byPointer;
}

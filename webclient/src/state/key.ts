const slot = 'parley.key';

type StorageLike = Pick<Storage, 'getItem' | 'setItem'>;

/** The key in a page address such as `#key=abc`; '' if there is none. */
export function keyFromHash(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('key')?.trim() ?? '';
}

/** The key kept for this tab. */
export function loadKey(storage: StorageLike | undefined): string {
  try {
    return storage?.getItem(slot) ?? '';
  } catch {
    return '';
  }
}

export function saveKey(storage: StorageLike | undefined, key: string): void {
  try {
    storage?.setItem(slot, key);
  } catch {
    return;
  }
}

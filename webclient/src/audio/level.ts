/** Root mean square of samples in [-1, 1]. */
export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
}

const floorDb = -55;
const topDb = -8;

/** Loudness as a share of what a meter shows: 0 at -55 dBFS and below, 1 at -8 dBFS. */
export function share(level: number): number {
  if (level <= 0) return 0;
  const db = 20 * Math.log10(level);
  return Math.min(1, Math.max(0, (db - floorDb) / (topDb - floorDb)));
}

export interface Device {
  id: string;
  label: string;
}

export interface Devices {
  microphones: Device[];
  speakers: Device[];
}

/** Sorts what the browser lists; unnamed and default entries are left to the page's own first choice. */
export function sortDevices(all: readonly Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]): Devices {
  const pick = (kind: MediaDeviceKind): Device[] =>
    all
      .filter((d) => d.kind === kind && d.deviceId !== '' && d.deviceId !== 'default' && d.deviceId !== 'communications')
      .map((d, i) => ({ id: d.deviceId, label: d.label || `${kind === 'audioinput' ? 'Microphone' : 'Speaker'} ${i + 1}` }));
  return { microphones: pick('audioinput'), speakers: pick('audiooutput') };
}

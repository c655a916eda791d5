/**
 * How many characters of `shown` the caller has heard, given the words heard so
 * far. The voice may be given text that differs from what is shown in spacing
 * and signs, so where `heard` is no prefix the words are counted.
 */
export function heardLength(shown: string, heard: string): number {
  if (shown.startsWith(heard)) return heard.length;
  const count = heard.split(/\s+/).filter(Boolean).length;
  const words = /\S+/g;
  let end = 0;
  for (let i = 0; i < count; i++) {
    const match = words.exec(shown);
    if (!match) return shown.length;
    end = match.index + match[0].length;
  }
  return end;
}

import { expect, it } from 'vitest';
import { heardLength } from './heard';

it.each([
  ['One two three.', '', ''],
  ['One two three.', 'One two', 'One two'],
  ['One two three.', 'One two three.', 'One two three.'],
  ['It is 5 °C.', 'It is five', 'It is 5'],
  ['One  two\nthree', 'one two', 'One  two'],
  ['Short', 'much longer than what is shown', 'Short'],
  ['', 'anything', ''],
  ['你好,世界', '你好', '你好'],
])('of %j, when %j was heard, shows %j', (shown, heard, marked) => {
  expect(shown.slice(0, heardLength(shown, heard))).toBe(marked);
});

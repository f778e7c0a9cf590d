// Whether a text matches a pattern of somebody else's. Pure. Such a pattern could keep this page busy for years: one that
// might is the server's to judge, and so is a long text.

const CHOICES = 3; // of one pattern
const LONGEST = 100; // characters of a text: with so many choices there are some million ways through it
const LONGEST_PATTERN = 500;
const PARTS = /\\[^]|\[(?:\\[^]|[^\]\\])*\]|\(\?<?[:=!]?|\{\d+\}|[^]/g;

export function matches(pattern, text) {
  if (text.length > LONGEST || isCostly(pattern)) return true;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true; // not one that this browser knows
  }
}

// Whether it refers back, has many places where it may go one way or another, or has such a place within what repeats.
function isCostly(pattern) {
  if (pattern.length > LONGEST_PATTERN) return true;
  const around = []; // the groups that are open: { choices, hasWays } of each
  let group = { choices: 0, hasWays: false };
  let [before, ended] = ["", 0]; // the part before, and how many choices there are in the group that it ends
  for (const part of pattern.match(PARTS) ?? []) {
    let inside = 0;
    if (/^\\[1-9k]/.test(part)) return true;
    if (part.startsWith("(")) {
      around.push(group);
      group = { choices: 0, hasWays: false };
    } else if (part === ")") {
      inside = group.choices + Number(group.hasWays);
      group = around.pop() ?? { choices: 0, hasWays: false };
      group.choices += inside;
    } else if (part === "|") {
      group.hasWays = true;
    } else if (part === "?") {
      group.choices += /[*+?}]$/.test(before) ? 0 : 1; // after another it only says which way is tried first
    } else if (/^[*+{]/.test(part)) {
      if (ended) return true;
      group.choices += part.length === 1 ? 1 : 0; // {3} is no choice
    }
    [before, ended] = [part, inside];
  }
  return group.choices > CHOICES;
}

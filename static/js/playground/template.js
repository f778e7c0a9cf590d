// URI templates (RFC 6570, to level 3, which is what servers use). Pure.

const EXPRESSION = /\{([+#./;?&]?)([^{}]+)\}/g;
const NAME = /^([\w.%-]+)(?::\d{1,4}|\*)?$/;

const namesOf = (list) => list.split(",").flatMap((part) => NAME.exec(part.trim())?.[1] ?? []);

export function variables(template) {
  return [...new Set([...String(template).matchAll(EXPRESSION)].flatMap(([, , list]) => namesOf(list)))];
}

// Operator -> [before the first, between them, whether names are told, whether reserved characters stay].
const WAYS = {
  "": ["", ",", false, false],
  "+": ["", ",", false, true],
  "#": ["#", ",", false, true],
  ".": [".", ".", false, false],
  "/": ["/", "/", false, false],
  ";": [";", ";", true, false],
  "?": ["?", "&", true, false],
  "&": ["&", "&", true, false],
};
const STRICT = /[!'()*]/g;
const escaped = (value) =>
  encodeURIComponent(value).replace(STRICT, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export function expand(template, values) {
  return String(template).replace(EXPRESSION, (_, operator, list) => {
    const [first, between, isNamed, isReserved] = WAYS[operator];
    const given = namesOf(list).filter((name) => values[name] !== undefined && values[name] !== "");
    const write = isReserved ? encodeURI : escaped;
    const parts = given.map((name) => (isNamed ? `${name}=` : "") + write(values[name]));
    return parts.length ? first + parts.join(between) : "";
  });
}

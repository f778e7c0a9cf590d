// What scripts say: in the page's language where its catalogue was loaded before (config/languages.py), otherwise as it
// is written here, in English. `make messages` finds the strings by these names, so each is given one that is whole.

const catalogue = globalThis.django ?? {};

export const gettext = catalogue.gettext ?? ((text) => text);
export const ngettext = catalogue.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

// "%(name)s" becomes the value of that name.
export const interpolate = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));

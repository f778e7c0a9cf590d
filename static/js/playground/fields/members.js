// Problems of fields that hold others: each goes down to the member that it is about. Pure but for the marking itself.

export const under = (step, found) => found.map(({ path, message }) => ({ path: [step, ...path], message }));

// Marks every field of `fields` (step -> field), also those that are well again; what is about none of them is `own`'s.
// Returns the control of the first problem, or null.
export function markMembers(found, fields, own) {
  const isBelow = ({ path }) => path.length > 0 && fields.has(path[0]);
  const first = [own(found.filter((problem) => !isBelow(problem)))];
  for (const [step, field] of fields) {
    const below = found.filter((problem) => isBelow(problem) && problem.path[0] === step);
    first.push(field.mark(below.map(({ path, message }) => ({ path: path.slice(1), message }))));
  }
  return first.find((control) => control !== null) ?? null;
}

/* Whether a memory is one that the task calls legal, by its specification: terms and facts as nested lists. */

const MOST_JUDGED = 1000; /* cells */
const MOST_TRIED = 100000; /* values of the parameters that are to be found in the memory */

function entry(list, index, what) {
  if (!Array.isArray(list) || !(index in list)) {
    throw new RangeError(`${what}[${index}] is not there`);
  }
  return list[index];
}

function holdsForAll(name, low, high, body, names) {
  const outer = names[name];
  const end = valueOf(high, names);
  let holds = true;
  for (let value = valueOf(low, names); holds && value < end; value += 1) {
    names[name] = value;
    holds = valueOf(body, names);
  }
  names[name] = outer;
  return holds;
}

const READINGS = {
  "+": ([constant, ...parts], names) =>
    parts.reduce((sum, [term, factor]) => sum + factor * valueOf(term, names), constant),
  entry: ([what, index], names) => entry(names[what], valueOf(index, names), what),
  if: ([fact, yes, no], names) => valueOf(valueOf(fact, names) ? yes : no, names),
  "<=": ([left, right], names) => valueOf(left, names) <= valueOf(right, names),
  "<": ([left, right], names) => valueOf(left, names) < valueOf(right, names),
  "==": ([left, right], names) => valueOf(left, names) === valueOf(right, names),
  not: ([fact], names) => !valueOf(fact, names),
  and: (facts, names) => facts.every((fact) => valueOf(fact, names)),
  or: (facts, names) => facts.some((fact) => valueOf(fact, names)),
  implies: ([condition, fact], names) => !valueOf(condition, names) || valueOf(fact, names),
  all: ([name, low, high, body], names) => holdsForAll(name, low, high, body, names),
};

/* The integer that a term is, or whether a fact is true. */
function valueOf(tree, names) {
  if (typeof tree === "number") {
    return tree;
  }
  return typeof tree === "string" ? names[tree] : READINGS[tree[0]](tree.slice(1), names);
}

/* Every way to give the parameters values, one after the other into the names. */
function* assignments([first, ...rest], names) {
  if (first === undefined) {
    yield;
    return;
  }
  const [name, term] = first;
  const values = term === null ? names.before.map((_, cell) => cell) : [valueOf(term, names)];
  for (const value of values) {
    names[name] = value;
    yield* assignments(rest, names);
  }
}

/* What a reading gives, or undefined where it reads an entry that is not there. */
function readable(reading) {
  try {
    return reading();
  } catch (error) {
    if (error instanceof RangeError) {
      return undefined;
    }
    throw error;
  }
}

/* Sequences that only the specification knows, each as far as it can be read. */
function addGhosts(names) {
  for (const { name, first, value, entries } of data.task.ghosts) {
    const found = first === undefined ? [] : [valueOf(first, names)];
    names[name] = found;
    const count = valueOf(entries, names);
    for (let index = 0; found.length < count; index += 1) {
      const next = readable(() => valueOf(value, Object.assign(names, { j: index })));
      if (next === undefined) {
        break;
      }
      found.push(next);
    }
  }
}

/* How many of the facts hold, up to the first that does not. */
function held(names) {
  addGhosts(names);
  const broken = data.task.given.findIndex(({ fact }) => !readable(() => valueOf(fact, names)));
  return broken < 0 ? data.task.given.length : broken;
}

function wantedBy(names) {
  const [low, high] = data.task.output.map((end) => valueOf(end, names));
  const wanted = {};
  for (let cell = low; cell < high; cell += 1) {
    wanted[cell] = valueOf(data.task.want, Object.assign(names, { i: cell }));
  }
  return wanted;
}

const parametersText = (names) => data.task.params.map(([name]) => `${name} = ${names[name]}`).join(", ");

/* What the task says of a memory: { legal, says, wanted }, legal being null where it is not known. */
function judged(memory) {
  if (!data.task?.given) {
    return { legal: null, says: "Whether the memory is legal is not judged, as there is no specification." };
  }
  const { name, params, given, unchecked } = data.task;
  const tried = memory.length ** params.filter(([, term]) => term === null).length;
  if (memory.length > MOST_JUDGED || tried > MOST_TRIED) {
    return { legal: null, says: "Whether so large a memory is legal is not judged on this page." };
  }
  const names = Object.assign(Object.create(null), { M: memory.length, before: memory, mem: memory });
  let best = { count: -1 };
  for (const _ of assignments(params, names)) {
    const count = held(names);
    if (count === given.length) {
      return unchecked
        ? { legal: null, says: `It is a legal memory of ${name} as far as this page can tell; not looked at: ${unchecked}.` }
        : { legal: true, says: `It is a legal memory of ${name}, ${parametersText(names)}.`, wanted: wantedBy(names) };
    }
    best = count > best.count ? { count, parameters: parametersText(names) } : best;
  }
  const broken = `with ${best.parameters} it is not so that ${given[best.count].text}`;
  return { legal: false, says: `It is NOT a legal memory of ${name}: ${broken}. You see what the program does, no more.` };
}

/* A run of the program with what it reads and writes. A row is the machine before a timestep; the last one
   is the machine at the end, where no block is run. */

const MOST_RECORDED = 1000000; /* cells of all rows together */

function watched(cells, touched) {
  return new Proxy(cells, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) {
        touched.push({ gate: "READ", address: Number(key), value: target[key] });
      }
      return target[key];
    },
    set(target, key, value) {
      touched.push({ gate: "WRITE", address: Number(key), value });
      target[key] = value;
      return true;
    },
  });
}

function record(memory, most) {
  const cells = Array.from(memory);
  const touched = [];
  const timesteps = program.steps(watched(cells, touched), most);
  const rows = [];
  let registers = data.registers.map(() => 0);
  for (;;) {
    const before = cells.slice();
    const moment = timesteps.next();
    if (moment.done) {
      rows.push({ memory: before, registers, block: null, touched: [] });
      return { rows, outcome: moment.value };
    }
    rows.push({ memory: before, registers, block: moment.value.block, touched: touched.splice(0) });
    registers = moment.value.registers;
    if (rows.length * cells.length > MOST_RECORDED) {
      throw new RangeError(`${rows.length} timesteps on ${cells.length} cells are too many for this page`);
    }
  }
}

/* Integers from a text, separated by commas or spaces, with or without brackets. */
function integers(text) {
  const words = text.replace(/[[\](),;]/g, " ").split(/\s+/).filter((word) => word !== "");
  return words.map((word) => {
    if (!/^[+-]?\d{1,15}$/.test(word)) {
      throw new RangeError(`${JSON.stringify(word.slice(0, 40))} is no integer`);
    }
    return Number(word);
  });
}
